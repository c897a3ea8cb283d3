#include "wire/openai_tools.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstddef>
#include <format>
#include <string_view>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto most_tools = std::size_t{128};
constexpr auto most_calls = std::size_t{128};
constexpr auto most_name_bytes = std::size_t{64};
constexpr auto most_id_bytes = std::size_t{256};

[[nodiscard]] bool is_name(const json::value* value) {
  const auto* const text = value ? value->if_string() : nullptr;
  return text != nullptr && !text->empty() && text->size() <= most_name_bytes &&
         std::ranges::all_of(std::string_view{*text}, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

/// The object `function` of something that has the type function.
[[nodiscard]] const json::object* function_of(const json::value& of) {
  const auto* const fields = of.if_object();
  const auto* const type = fields ? given(*fields, "type") : nullptr;
  const auto* const function = fields ? given(*fields, "function") : nullptr;
  if (function == nullptr || (type != nullptr && *type != "function"))
    return nullptr;
  return function->if_object();
}

[[nodiscard]] verdict read_tool(const json::value& from, const std::string& at,
                                prompt& to) {
  const auto* const function = function_of(from);
  if (function == nullptr)
    return unsupported(at, "only tools of type function are taken");
  const auto* const name = given(*function, "name");
  if (!is_name(name))
    return wrong(
        at + ".function.name",
        std::format("must be 1 to {} of a-z, A-Z, 0-9, _ and -", most_name_bytes));
  auto one = tool{std::string{std::string_view{name->get_string()}}, {}, "{}"};
  if (const auto* const said = given(*function, "description")) {
    if (!said->is_string())
      return wrong(at + ".function.description", "must be a string");
    one.description = std::string_view{said->get_string()};
  }
  if (const auto* const schema = given(*function, "parameters")) {
    if (!schema->is_object())
      return wrong(at + ".function.parameters", "must be a JSON schema");
    one.parameters = json::serialize(*schema);
  }
  to.tools.push_back(std::move(one));
  return std::nullopt;
}

[[nodiscard]] verdict read_choice(const json::object& body, prompt& to) {
  const auto* const choice = given(body, "tool_choice");
  if (choice == nullptr || *choice == "auto")
    return std::nullopt;
  if (*choice != "none")
    return unsupported("tool_choice", "only auto and none are taken");
  to.tools.clear();
  return std::nullopt;
}

[[nodiscard]] verdict read_call(const json::value& from, const std::string& at,
                                past_turn& to) {
  const auto* const function = function_of(from);
  const auto* const id = from.is_object() ? given(from.get_object(), "id") : nullptr;
  const auto* const arguments = function ? given(*function, "arguments") : nullptr;
  const auto* const name = function ? given(*function, "name") : nullptr;
  if (id == nullptr || !id->is_string() || id->get_string().size() > most_id_bytes ||
      !is_name(name) || arguments == nullptr || !arguments->is_string())
    return wrong(at, "must be {id, type: function, function: {name, arguments}}");
  to.calls.push_back({std::string{std::string_view{id->get_string()}},
                      std::string{std::string_view{name->get_string()}},
                      std::string{std::string_view{arguments->get_string()}}});
  return std::nullopt;
}

} // namespace

verdict read_tools(const json::object& body, prompt& to) {
  const auto* const functions = given(body, "functions");
  if (functions != nullptr &&
      !(functions->is_array() && functions->get_array().empty()))
    return unsupported("functions", "tools are what took their place");
  const auto* const found = given(body, "tools");
  if (found == nullptr)
    return read_choice(body, to);
  const auto* const list = found->if_array();
  if (list == nullptr || list->size() > most_tools)
    return wrong("tools", std::format("must be a list of at most {}", most_tools));
  for (auto i = std::size_t{0}; i < list->size(); ++i)
    if (auto bad = read_tool((*list)[i], std::format("tools[{}]", i), to))
      return bad;
  return read_choice(body, to);
}

verdict read_calls(const json::object& message, const std::string& at, past_turn& to) {
  if (to.role == "tool") {
    const auto* const id = given(message, "tool_call_id");
    if (id == nullptr || !id->is_string() || id->get_string().size() > most_id_bytes)
      return wrong(at + ".tool_call_id", "must say which call is answered");
    to.answers = std::string_view{id->get_string()};
    return std::nullopt;
  }
  const auto* const calls = given(message, "tool_calls");
  if (calls == nullptr)
    return std::nullopt;
  const auto* const list = calls->if_array();
  if (to.role != "assistant" || list == nullptr || list->size() > most_calls)
    return wrong(at + ".tool_calls",
                 std::format("must be an assistant's list of at most {}", most_calls));
  for (auto i = std::size_t{0}; i < list->size(); ++i)
    if (auto bad = read_call((*list)[i], std::format("{}.tool_calls[{}]", at, i), to))
      return bad;
  return std::nullopt;
}

} // namespace jessica::wire
