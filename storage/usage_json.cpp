#include "storage/usage_json.hpp"

namespace jessica::storage {
namespace {

/// A name as JSON: what would need an escape has no place in one.
[[nodiscard]] std::string quoted_plain(std::string_view name) {
  auto text = std::string{'"'};
  for (const auto c : name)
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= ' ')
      text += c;
  return text += '"';
}

} // namespace

std::string usage_json(const usage& used, std::string_view model,
                       std::string_view finish_reason) {
  auto text = R"({"prompt_tokens":)" + std::to_string(used.prompt_tokens) +
              R"(,"completion_tokens":)" + std::to_string(used.completion_tokens) +
              R"(,"estimated":)" + (used.estimated ? "true" : "false");
  if (used.cost)
    text += R"(,"cost":)" + text_of(*used.cost);
  if (!finish_reason.empty())
    text += R"(,"finish_reason":)" + quoted_plain(finish_reason);
  if (!model.empty())
    text += R"(,"model":)" + quoted_plain(model);
  return text += '}';
}

} // namespace jessica::storage
