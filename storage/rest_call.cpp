// Which function a call means, and the call as SQL.
#include "storage/rest_fault.hpp"
#include "storage/rest_hint.hpp"
#include "storage/rest_pieces.hpp"

#include <algorithm>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

/// The arguments' names as the client gave them, each once.
[[nodiscard]] std::vector<std::string> given_names(const rest_request& what) {
  if (!what.read_only)
    return what.body.array ? std::vector<std::string>{} : what.body.keys;
  auto names = std::vector<std::string>{};
  for (const auto& [name, value] : what.arguments)
    if (!std::ranges::contains(names, name))
      names.push_back(name);
  return names;
}

[[nodiscard]] bool fits(const schema_function& one,
                        const std::vector<std::string>& given) {
  const auto known = std::ranges::all_of(given, [&](const std::string& name) {
    return !name.empty() &&
           std::ranges::contains(one.arguments, name, &schema_argument::name);
  });
  return known && std::ranges::all_of(one.arguments, [&](const schema_argument& arg) {
           return arg.optional || std::ranges::contains(given, arg.name);
         });
}

[[nodiscard]] bool takes_body(const schema_function& one) {
  return one.arguments.size() == 1 && one.arguments.front().name.empty() &&
         (one.arguments.front().type == "json" ||
          one.arguments.front().type == "jsonb");
}

[[nodiscard]] std::string joined(const std::vector<std::string>& names) {
  auto text = std::string{};
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

[[nodiscard]] std::string signature(const schema_function& one) {
  auto text = std::format("{}.{}(", exposed_schema, one.name);
  for (auto at = std::size_t{0}; at < one.arguments.size(); ++at)
    text += std::format("{}{} => {}", at == 0 ? "" : ", ", one.arguments[at].name,
                        one.arguments[at].type);
  return text + ")";
}

[[nodiscard]] std::unexpected<error> not_found(const rest_schema& schema,
                                               const rest_request& what,
                                               const std::vector<std::string>& given) {
  const auto name = std::format("{}.{}", exposed_schema, what.target);
  const auto shown =
      given.empty() ? name + " without parameters" : name + "(" + joined(given) + ")";
  const auto searched = given.empty()
                            ? name + " without parameters"
                            : std::format("{} with parameter{} {}", name,
                                          given.size() == 1 ? "" : "s", joined(given));
  return rest_fault(
      errc::not_found, "PGRST202",
      std::format("Could not find the function {} in the schema cache", shown),
      std::format("Searched for the function {}{}, but no matches were found in the "
                  "schema cache.",
                  searched,
                  what.read_only ? ""
                                 : " or with a single unnamed json/jsonb parameter"),
      function_hint(schema, what.target, given));
}

[[nodiscard]] std::unexpected<error>
ambiguous(const std::vector<const schema_function*>& found) {
  auto all = std::string{};
  for (const auto* one : found)
    all += (all.empty() ? "" : ", ") + signature(*one);
  return rest_fault(errc::invalid_input, "PGRST203",
                    "Could not choose the best candidate function between: " + all, {},
                    "Try renaming the parameters or the function itself in the "
                    "database so function overloading can be resolved");
}

/// The text of an argument from the query: the last one wins; a variadic one takes all.
[[nodiscard]] std::string query_argument(rest_context& to, const rest_request& what,
                                         const schema_argument& argument) {
  auto values = std::vector<parameter>{};
  for (const auto& [name, value] : what.arguments)
    if (name == argument.name)
      values.emplace_back(value);
  if (argument.variadic && values.size() > 1)
    return to.bind(array_literal(values)) + "::" + argument.type;
  return to.bind(values.back().value_or("")) + "::" + argument.type;
}

[[nodiscard]] std::string named(const schema_argument& argument, std::string value) {
  return (argument.variadic ? "variadic " : "") + quoted_name(argument.name) + " => " +
         std::move(value);
}

} // namespace

result<found_function> find_function(const rest_schema& schema,
                                     const rest_request& what) {
  const auto given = given_names(what);
  const auto known = schema.functions.find(what.target);
  if (known == schema.functions.end())
    return not_found(schema, what, given);
  auto found = std::vector<const schema_function*>{};
  if (what.read_only || !what.body.array)
    for (const auto& one : known->second)
      if (fits(one, given))
        found.push_back(&one);
  if (found.size() == 1)
    return found_function{found.front(), false};
  if (found.size() > 1)
    return ambiguous(found);
  if (!what.read_only)
    for (const auto& one : known->second)
      if (takes_body(one))
        return found_function{&one, true};
  return not_found(schema, what, given);
}

std::string call_sql(rest_context& to, const rest_request& what,
                     const found_function& found, const std::string& alias) {
  const auto& function = *found.function;
  const auto name = exposed_name(function.name);
  if (found.whole_body)
    return " from " + name + "(" + to.bind(what.body.text) +
           "::" + function.arguments.front().type + ") " + alias;
  const auto given = given_names(what);
  auto arguments = std::string{};
  auto types = std::string{};
  for (const auto& one : function.arguments) {
    if (!std::ranges::contains(given, one.name))
      continue; // has a default
    arguments += arguments.empty() ? "" : ", ";
    arguments += named(one, what.read_only ? query_argument(to, what, one)
                                           : "b." + quoted_name(one.name));
    types += (types.empty() ? "" : ", ") + quoted_name(one.name) + " " + one.type;
  }
  const auto call = name + "(" + arguments + ") " + alias;
  if (what.read_only || types.empty())
    return " from " + call;
  return " from json_to_record(" + to.bind(what.body.text) + "::json) as b (" + types +
         "), lateral " + call;
}

} // namespace jessica::storage
