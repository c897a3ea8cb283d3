#include "config/options.hpp"

#include "config/option_sections.hpp"

#include <vector>

namespace jessica::config {
namespace {

/// The order of the documentation.
[[nodiscard]] std::vector<option> joined() {
  auto all = std::vector<option>{};
  for (const auto section :
       {net_options(), realtime_options(), auth_options(), mail_options(),
        storage_options(), rest_options(), engine_options(), inference_options(),
        embedding_options(), memory_options(), gateway_options(), log_options(),
        quota_options()})
    all.insert(all.end(), section.begin(), section.end());
  return all;
}

} // namespace

std::span<const option> options() {
  static const auto all = joined();
  return all;
}

} // namespace jessica::config
