// Fields of the JSON the server sends, found without building a document: the load
// generator shares the machine with what it measures.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jessica::bench {

/// The value of the first member called `name`, at any depth. A text is returned as it
/// stands between its quotes, escapes included; ids and names have none. Text inside
/// other values is never taken for a member, because its quotes are escaped.
/// nullopt: no such member, or its value is of another kind.
[[nodiscard]] std::optional<std::string_view> text_field(std::string_view json,
                                                         std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> number_field(std::string_view json,
                                                        std::string_view name);

} // namespace jessica::bench
