#include "config/file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <format>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace jessica::config {
namespace {

constexpr auto max_file_bytes = std::uintmax_t{1'048'576};

file_entry make_entry(std::string name, const toml::node& node) {
  auto entry = file_entry{
      std::move(name), {}, false, true, static_cast<int>(node.source().begin.line)};
  if (const auto* text = node.as_string()) {
    entry.text = text->get();
    entry.quoted = true;
  } else if (const auto* number = node.as_integer()) {
    entry.text = std::to_string(number->get());
  } else if (const auto* on = node.as_boolean()) {
    entry.text = on->get() ? "true" : "false";
  } else {
    entry.supported = false;
    if (const auto* fraction = node.as_floating_point())
      entry.fraction = std::format("{}", fraction->get());
    if (const auto* list = node.as_array();
        list != nullptr && list->is_homogeneous<std::string>())
      for (const auto& one : *list)
        if (const auto* item = one.as_string())
          entry.items.push_back(item->get());
  }
  return entry;
}

std::vector<file_entry> flatten_section(const std::string& prefix,
                                        const toml::table& section) {
  auto entries = std::vector<file_entry>{};
  for (const auto& [key, node] : section) {
    const auto name = prefix + std::string{key.str()};
    if (const auto* inner = node.as_table(); inner != nullptr && prefix.empty())
      std::ranges::move(flatten_section(name + ".", *inner),
                        std::back_inserter(entries));
    else
      entries.push_back(make_entry(name, node));
  }
  std::ranges::stable_sort(entries, {}, &file_entry::line); // as a reader sees them
  return entries;
}

/// A schema is easier to write as TOML.
void join_parameters(std::vector<file_entry>& entries, const toml::table& table) {
  constexpr auto name = std::string_view{"parameters"};
  const auto* const schema = table[name].as_table();
  if (schema == nullptr)
    return;
  std::erase_if(entries, [](const auto& one) { return one.name.starts_with(name); });
  auto text = std::ostringstream{};
  text << toml::json_formatter{*schema};
  entries.push_back({std::string{name}, std::move(text).str(), true, true,
                     static_cast<int>(schema->source().begin.line)});
}

/// Takes the [[name]] tables out of the file.
std::vector<file_table> take_tables(toml::table& root, std::string_view name) {
  auto tables = std::vector<file_table>{};
  if (!root[name].is_array_of_tables())
    return tables; // whatever it is, no option is called so
  for (const auto& one : *root[name].as_array())
    if (const auto* table = one.as_table()) {
      tables.push_back(
          {static_cast<int>(one.source().begin.line), flatten_section({}, *table)});
      join_parameters(tables.back().entries, *table);
    }
  root.erase(name);
  return tables;
}

std::optional<std::string> text_of(const std::filesystem::path& file) {
  auto failed = std::error_code{};
  const auto size = std::filesystem::file_size(file, failed);
  if (failed || size > max_file_bytes)
    return std::nullopt;
  auto stream = std::ifstream{file, std::ios::binary};
  auto text = std::string{std::istreambuf_iterator<char>{stream}, {}};
  return stream.bad() || !stream.is_open() ? std::nullopt : std::optional{text};
}

} // namespace

file_content read_file(const std::filesystem::path& file) {
  auto found = file_content{};
  const auto name = file.string();
  try {
    const auto text = text_of(file);
    if (text) {
      auto root = toml::parse(*text, name);
      found.providers = take_tables(root, "providers");
      found.tools = take_tables(root, "tools");
      found.prices = take_tables(root, "prices");
      found.entries = flatten_section({}, root);
    } else
      found.mistakes.push_back(
          name + ": cannot be read (a file of at most 1 MiB is expected)");
  } catch (const toml::parse_error& broken) {
    found.mistakes.push_back(std::format(
        "{}:{}: is not TOML: {}", name,
        static_cast<unsigned long>(broken.source().begin.line), broken.description()));
  }
  return found;
}

} // namespace jessica::config
