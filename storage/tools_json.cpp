#include "storage/tools_json.hpp"

#include "domain/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <format>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto most_text_bytes = std::size_t{4096};
constexpr auto most_bytes = std::size_t{131'072};

/// As a JSON string. jsonb has no NUL.
[[nodiscard]] std::string as_json(std::string_view text) {
  auto out = std::string{'"'};
  for (const auto c : text) {
    if (c == '\0')
      continue;
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < ' ')
      out += std::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out += '"';
}

} // namespace

std::string tools_json(std::span<const tool_outcome> tools) {
  constexpr auto texts_a_tool = std::size_t{2};
  const auto share =
      most_bytes / (texts_a_tool * std::max(tools.size(), std::size_t{1}));
  const auto most = std::min(most_text_bytes, share);
  auto all = std::string{"["};
  for (const auto& one : tools)
    all += std::format(
        R"({}{{"id":{},"name":{},"arguments":{},"result":{},"failed":{},"took_ms":{}}})",
        all.size() == 1 ? "" : ",", as_json(one.call.id), as_json(one.call.name),
        as_json(cut_utf8(one.call.arguments, most)),
        as_json(cut_utf8(one.result, most)), one.failed, one.took.count());
  return all + ']';
}

} // namespace jessica::storage
