#include "wire/change_binding.hpp"

#include "wire/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::wire {
namespace {

struct event_name {
  std::string_view name;
  std::optional<change_type> type;
};

constexpr auto events =
    std::array{event_name{"*", std::nullopt}, event_name{"INSERT", change_type::insert},
               event_name{"UPDATE", change_type::update},
               event_name{"DELETE", change_type::remove}};

[[nodiscard]] std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

[[nodiscard]] result<std::vector<std::string>>
read_select(const boost::json::object& object) {
  auto names = std::vector<std::string>{};
  const auto* const value = object.if_contains("select");
  if (value == nullptr || value->is_null())
    return names;
  if (!value->is_array())
    return fail(errc::invalid_input, "select: must be a list of columns");
  for (const auto& one : value->get_array()) {
    if (!one.is_string())
      return fail(errc::invalid_input, "select: must be a list of columns");
    names.emplace_back(one.get_string());
  }
  return names;
}

} // namespace

result<change_binding> read_change_binding(std::string_view json) {
  const auto object = parse_object(json);
  if (!object)
    return std::unexpected{object.error()};
  const auto fields = json_reader{*object};
  auto event = fields.required_text("event");
  if (!event)
    return std::unexpected{std::move(event.error())};
  const auto* const known = std::ranges::find(events, upper(*event), &event_name::name);
  if (known == events.end())
    return fail(errc::invalid_input, "event: must be INSERT, UPDATE, DELETE or *");
  auto schema = fields.text("schema");
  auto table = fields.text("table");
  auto filter = fields.text("filter");
  auto select = read_select(*object);
  if (!schema || !table || !filter)
    return std::unexpected{!schema  ? schema.error()
                           : !table ? table.error()
                                    : filter.error()};
  if (!select)
    return std::unexpected{std::move(select.error())};
  auto read = change_binding{.event = known->type,
                             .schema = schema->value_or("public"),
                             .table = std::move(*table),
                             .filter = filter->value_or(""),
                             .select = std::move(*select)};
  if (read.table && (*read.table == "*" || read.table->empty()))
    read.table.reset();
  if (!read.table && (!read.filter.empty() || !read.select.empty()))
    return fail(errc::invalid_input, "filter and select need a table");
  return read;
}

std::string describe(const change_binding& what) {
  const auto* const known = std::ranges::find(events, what.event, &event_name::type);
  auto text = "[event: " + std::string{known->name} + ", schema: " + what.schema +
              ", table: " + what.table.value_or("*") + ", filters: " + what.filter +
              ", select: ";
  for (auto i = std::size_t{0}; i < what.select.size(); ++i)
    text += (i > 0 ? "," : "") + what.select[i];
  return text + ']';
}

} // namespace jessica::wire
