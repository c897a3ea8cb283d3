#include "storage/rest_relations.hpp"

#include "storage/rest_fault.hpp"
#include "storage/rest_hint.hpp"

#include <algorithm>
#include <format>
#include <iterator>
#include <optional>
#include <utility>

namespace jessica::storage {
namespace {

/// The pairs as two faces spell them; nullopt when one does not show a column.
[[nodiscard]] std::optional<std::vector<column_pair>>
seen(const std::vector<column_pair>& columns, const table_face& from,
     const table_face& to) {
  auto pairs = std::vector<column_pair>{};
  for (const auto& [here, there] : columns) {
    const auto left = from.columns.find(here);
    const auto right = to.columns.find(there);
    if (left == from.columns.end() || right == to.columns.end())
      return std::nullopt;
    pairs.push_back({left->second, right->second});
  }
  return pairs;
}

[[nodiscard]] std::vector<column_pair> turned(std::vector<column_pair> pairs) {
  for (auto& pair : pairs)
    std::swap(pair.from, pair.to);
  return pairs;
}

/// Many to one, or one to one: from the table that refers.
[[nodiscard]] std::vector<relationship>
direct_relationships(const std::vector<foreign_key>& keys,
                     const faces_by_table& faces) {
  auto all = std::vector<relationship>{};
  for (const auto& key : keys) {
    const auto from = faces.find(key.from);
    const auto to = faces.find(key.to);
    if (from == faces.end() || to == faces.end())
      continue;
    for (const auto& here : from->second)
      for (const auto& there : to->second)
        if (auto pairs = seen(key.columns, here, there))
          all.push_back({here.name,
                         there.name,
                         key.one ? cardinality::one_to_one : cardinality::many_to_one,
                         key.name,
                         std::move(*pairs),
                         {},
                         {},
                         {}});
  }
  return all;
}

[[nodiscard]] bool within_key(const std::vector<column_pair>& columns,
                              const std::vector<std::string>& key) {
  return std::ranges::all_of(columns, [&](const column_pair& pair) {
    return std::ranges::contains(key, pair.from);
  });
}

[[nodiscard]] relationship reversed(const relationship& of) {
  auto back = of;
  std::swap(back.from, back.to);
  back.columns = turned(std::move(back.columns));
  if (of.how == cardinality::many_to_one)
    back.how = cardinality::one_to_many;
  return back;
}

/// Through a table that refers to both, with both references in its primary key.
[[nodiscard]] std::vector<relationship>
through_junctions(const std::vector<relationship>& direct,
                  const std::map<std::string, schema_table, std::less<>>& tables) {
  auto by_table = std::map<std::string_view, std::vector<const relationship*>>{};
  for (const auto& one : direct) {
    const auto table = tables.find(one.from);
    if (table != tables.end() && !table->second.key.empty() &&
        within_key(one.columns, table->second.key))
      by_table[one.from].push_back(&one);
  }
  auto all = std::vector<relationship>{};
  for (const auto& [junction, sides] : by_table)
    for (const auto* near : sides)
      for (const auto* far : sides)
        if (near != far)
          all.push_back({near->to, far->to, cardinality::many_to_many, near->constraint,
                         turned(near->columns), near->from, far->constraint,
                         far->columns});
  return all;
}

[[nodiscard]] bool single(const std::vector<column_pair>& pairs,
                          std::string_view column, bool other_side) {
  return pairs.size() == 1 &&
         (pairs.front().from == column || (other_side && pairs.front().to == column));
}

[[nodiscard]] bool hinted(const relationship& one, std::string_view hint) {
  if (hint.empty())
    return true;
  if (one.how == cardinality::many_to_many)
    return one.junction == hint || one.constraint == hint;
  // Of a table's relation to itself the hint means the way back: the way there is
  // named by the column itself.
  if (one.from == one.to && one.to_one())
    return false;
  return one.constraint == hint || single(one.columns, hint, true);
}

[[nodiscard]] bool meant(const relationship& one, std::string_view target,
                         std::string_view hint) {
  if (one.to == target)
    return hinted(one, hint);
  if (!hint.empty() || one.how == cardinality::many_to_many)
    return false;
  if (one.constraint == target)
    return one.from != one.to || one.to_one();
  return one.to_one() && single(one.columns, target, false);
}

[[nodiscard]] std::string_view word(cardinality how) {
  switch (how) {
  case cardinality::many_to_one:
    return "many-to-one";
  case cardinality::one_to_one:
    return "one-to-one";
  case cardinality::one_to_many:
    return "one-to-many";
  case cardinality::many_to_many:
    break;
  }
  return "many-to-many";
}

[[nodiscard]] std::string listed(const std::vector<column_pair>& pairs, bool left) {
  auto text = std::string{};
  for (const auto& pair : pairs)
    text.append(text.empty() ? "" : ", ").append(left ? pair.from : pair.to);
  return text;
}

[[nodiscard]] std::string described(const relationship& one) {
  if (one.how == cardinality::many_to_many)
    return std::format("{} using {}({}) and {}({})", one.junction, one.constraint,
                       listed(one.columns, false), one.far_constraint,
                       listed(one.far, true));
  return std::format("{} using {}({}) and {}({})", one.constraint, one.from,
                     listed(one.columns, true), one.to, listed(one.columns, false));
}

[[nodiscard]] std::unexpected<error>
ambiguous(const std::vector<const relationship*>& found, std::string_view from,
          std::string_view target) {
  auto details = std::string{"["};
  auto choices = std::string{};
  for (const auto* one : found) {
    details += details.size() > 1 ? "," : "";
    details +=
        R"({"cardinality":")" + std::string{word(one->how)} + R"(","embedding":)";
    details += json_text(one->from + " with " + one->to) + R"(,"relationship":)";
    details += json_text(described(*one)) + "}";
    choices += choices.empty() ? "'" : ", '";
    choices +=
        one->to + "!" +
        (one->how == cardinality::many_to_many ? one->junction : one->constraint) + "'";
  }
  return rest_fault(
      errc::invalid_input, "PGRST201",
      std::format("Could not embed because more than one relationship was found for "
                  "'{}' and '{}'",
                  from, target),
      details + "]",
      std::format("Try changing '{}' to one of the following: {}. Find the desired "
                  "relationship in the 'details' key.",
                  target, choices));
}

} // namespace

std::vector<relationship>
relationships_of(const std::vector<foreign_key>& keys, const faces_by_table& faces,
                 const std::map<std::string, schema_table, std::less<>>& tables) {
  const auto direct = direct_relationships(keys, faces);
  auto all = direct;
  for (const auto& one : direct)
    all.push_back(reversed(one));
  auto through = through_junctions(direct, tables);
  std::ranges::move(through, std::back_inserter(all));
  return all;
}

result<const relationship*> find_relationship(const rest_schema& schema,
                                              std::string_view from,
                                              std::string_view target,
                                              std::string_view hint) {
  auto found = std::vector<const relationship*>{};
  if (const auto known = schema.relationships.find(from);
      known != schema.relationships.end())
    for (const auto& one : known->second)
      if (meant(one, target, hint))
        found.push_back(&one);
  if (found.size() == 1)
    return found.front();
  if (found.size() > 1)
    return ambiguous(found, from, target);
  const auto with_hint =
      hint.empty() ? std::string{} : std::format(" using the hint '{}'", hint);
  return rest_fault(
      errc::invalid_input, "PGRST200",
      std::format("Could not find a relationship between '{}' and '{}' in the schema "
                  "cache",
                  from, target),
      std::format("Searched for a foreign key relationship between '{}' and '{}'{} in "
                  "the schema '{}', but no matches were found.",
                  from, target, with_hint, exposed_schema),
      relation_hint(schema, from, target));
}

} // namespace jessica::storage
