#include "storage/rest_hint.hpp"

#include <algorithm>
#include <cstddef>
#include <format>
#include <ranges>

namespace jessica::storage {
namespace {

/// PostgreSQL's own measure of "near": at most 3 edits, and not more than half a name.
constexpr auto most_edits = std::size_t{3};
/// A wrong name must stay cheap in a schema of any size.
constexpr auto most_names = std::size_t{2'000};

/// The names nearest to `wrong`, in order; empty: none is near.
[[nodiscard]] std::vector<std::string_view> nearest(std::string_view wrong,
                                                    auto&& names) {
  auto found = std::vector<std::string_view>{};
  auto best = std::min(most_edits, wrong.size() / 2);
  for (const std::string_view name : names | std::views::take(most_names)) {
    const auto edits = edits_between(wrong, name, best);
    if (edits > best)
      continue;
    if (edits < best)
      found.clear();
    best = edits;
    found.push_back(name);
  }
  return found;
}

[[nodiscard]] std::string first_of(const std::vector<std::string_view>& names) {
  return names.empty() ? std::string{} : std::string{names.front()};
}

[[nodiscard]] std::size_t known_of(const schema_function& one,
                                   const std::vector<std::string>& given) {
  return static_cast<std::size_t>(
      std::ranges::count_if(given, [&](const std::string& name) {
        return std::ranges::contains(one.arguments, name, &schema_argument::name);
      }));
}

[[nodiscard]] std::string arguments_of(const schema_function& one) {
  auto names = std::vector<std::string_view>{};
  for (const auto& argument : one.arguments)
    names.push_back(argument.name);
  std::ranges::sort(names);
  auto text = std::string{};
  for (const auto name : names)
    text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

} // namespace

std::size_t edits_between(std::string_view a, std::string_view b, std::size_t most) {
  const auto apart = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (apart > most)
    return most + 1;
  const auto far = most + 1;
  auto row = std::vector<std::size_t>(b.size() + 1, far);
  for (auto j = std::size_t{0}; j <= std::min(b.size(), most); ++j)
    row[j] = j;
  for (auto i = std::size_t{1}; i <= a.size(); ++i) {
    // Cells further than `most` off the diagonal cannot matter.
    const auto begin = i > most ? i - most : std::size_t{1};
    const auto end = std::min(b.size(), i + most);
    auto diagonal = row[begin - 1];
    row[begin - 1] = begin == 1 ? i : far;
    for (auto j = begin; j <= end; ++j) {
      const auto changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1, far});
    }
  }
  return row[b.size()];
}

std::string column_hint(const schema_table& table, std::string_view name) {
  const auto found =
      nearest(name, table.columns | std::views::transform(&schema_column::name));
  if (found.empty() || found.size() > 2)
    return {};
  auto text = std::format("Perhaps you meant to reference the column \"{}.{}\"",
                          table.name, found.front());
  if (found.size() == 2)
    text += std::format(" or the column \"{}.{}\"", table.name, found.back());
  return text + ".";
}

std::string table_hint(const rest_schema& schema, std::string_view name) {
  const auto found = first_of(nearest(name, schema.tables | std::views::keys));
  return found.empty() ? found
                       : std::format("Perhaps you meant the table '{}.{}'",
                                     exposed_schema, found);
}

std::string relation_hint(const rest_schema& schema, std::string_view from,
                          std::string_view name) {
  const auto known = schema.relationships.find(from);
  if (known == schema.relationships.end())
    return {};
  const auto found =
      first_of(nearest(name, known->second | std::views::transform(&relationship::to)));
  return found.empty() || found == name
             ? std::string{}
             : std::format("Perhaps you meant '{}' instead of '{}'.", found, name);
}

std::string function_hint(const rest_schema& schema, std::string_view name,
                          const std::vector<std::string>& given) {
  constexpr auto meant = "Perhaps you meant to call the function {}.{}{}";
  if (const auto known = schema.functions.find(name); known != schema.functions.end()) {
    const auto one =
        std::ranges::max_element(known->second, {}, [&](const schema_function& f) {
          return known_of(f, given);
        });
    return std::format(meant, exposed_schema, name, "(" + arguments_of(*one) + ")");
  }
  const auto found = first_of(nearest(name, schema.functions | std::views::keys));
  return found.empty() ? found : std::format(meant, exposed_schema, found, "");
}

} // namespace jessica::storage
