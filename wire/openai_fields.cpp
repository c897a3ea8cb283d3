#include "wire/openai_fields.hpp"

#include <format>
#include <utility>

namespace jessica::wire {

openai_refusal wrong(std::string param, std::string_view why) {
  auto message = std::format("'{}' {}", param, why);
  return {400, "invalid_value", std::move(message), std::move(param)};
}

openai_refusal unsupported(std::string param, std::string_view why) {
  auto message = std::format("'{}': {}", param, why);
  return {400, "unsupported_value", std::move(message), std::move(param)};
}

const boost::json::value* given(const boost::json::object& in, std::string_view name) {
  const auto* const found = in.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

} // namespace jessica::wire
