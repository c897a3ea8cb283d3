#include "storage/rest_context.hpp"

#include <utility>

namespace jessica::storage {
namespace {

[[nodiscard]] std::string enclosed(std::string_view text, char in) {
  auto made = std::string{in};
  for (const auto c : text)
    made.append(c == in ? 2 : 1, c);
  return made + in;
}

} // namespace

std::string quoted_name(std::string_view name) {
  return enclosed(name, '"');
}

std::string quoted_text(std::string_view text) {
  // Names may hold backslashes: the plain form does not take them for escapes.
  return enclosed(text, '\'');
}

std::string exposed_name(std::string_view name) {
  return quoted_name(exposed_schema) + "." + quoted_name(name);
}

std::string rest_context::bind(parameter value) {
  parameters_.emplace_back(std::move(value));
  return "$" + std::to_string(parameters_.size());
}

std::string rest_context::alias() {
  return "t" + std::to_string(aliases_++);
}

void rest_context::refuse(std::unexpected<error> why) {
  if (!failure_)
    failure_ = std::move(why).error();
}

result<statement> rest_context::finish(std::string sql) {
  if (failure_)
    return std::unexpected{std::move(*failure_)};
  return statement{std::move(sql), std::move(parameters_)};
}

} // namespace jessica::storage
