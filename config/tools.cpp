#include "config/tools.hpp"

#include "config/option_text.hpp"
#include "config/providers.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <format>
#include <string_view>
#include <utility>
#include <variant>

namespace jessica::config {
namespace {

constexpr auto most_tools = std::size_t{64};
constexpr auto most_name_bytes = std::size_t{64};
constexpr auto most_words_bytes = std::size_t{16'384};
constexpr auto header_prefix = std::string_view{"headers."};
constexpr auto built_in = std::string_view{"search_memory"};

constexpr auto timeout_bounds = [] {
  auto made = option{};
  made.name = "timeout";
  made.form = value_form::duration;
  made.least = 10;
  made.most = 300'000;
  return made;
}();
constexpr auto size_bounds = [] {
  auto made = option{};
  made.name = "max_result_bytes";
  made.form = value_form::bytes;
  made.least = 64;
  made.most = 262'144;
  return made;
}();

[[nodiscard]] bool is_tool_name(std::string_view text) {
  return !text.empty() && text.size() <= most_name_bytes &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

/// One table.
class reader {
public:
  reader(std::string where, std::vector<std::string>& mistakes)
      : where_(std::move(where)), mistakes_(mistakes) {}

  [[nodiscard]] tool_settings read(const file_table& table) {
    for (const auto& entry : table.entries)
      take(entry);
    take_key_file();
    demand(is_tool_name(made_.name), "name must be 1 to 64 of a-z, 0-9, - and _");
    demand(made_.name != built_in, "the name is that of a tool that is built in");
    demand(!made_.description.empty(), "description must say what the tool does");
    demand(made_.description.size() <= most_words_bytes &&
               made_.parameters.size() <= most_words_bytes,
           "description and parameters must be at most 16 KiB each");
    demand(is_address(made_.url),
           "url must be an http:// or https:// URL without a password or a query");
    demand(is_printable(made_.key), "the key holds characters that no key has");
    return std::move(made_);
  }

private:
  void demand(bool promise, std::string_view otherwise) {
    if (!promise)
      mistakes_.push_back(where_ + ": " + std::string{otherwise});
  }

  void take(const file_entry& entry) {
    if (entry.name == "timeout") {
      if (const auto number = number_of(timeout_bounds, entry))
        made_.timeout = std::chrono::milliseconds{static_cast<std::int64_t>(*number)};
    } else if (entry.name == "max_result_bytes") {
      if (const auto number = number_of(size_bounds, entry))
        made_.max_result_bytes = static_cast<std::size_t>(*number);
    } else if (entry.name.starts_with(header_prefix)) {
      take_header(entry);
    } else {
      take_text(entry);
    }
  }

  void take_text(const file_entry& entry) {
    auto* const to = entry.name == "name"          ? &made_.name
                     : entry.name == "description" ? &made_.description
                     : entry.name == "parameters"  ? &made_.parameters
                     : entry.name == "url"         ? &made_.url
                     : entry.name == "key"         ? &made_.key
                     : entry.name == "key_file"    ? &key_file_
                     : entry.name == "ca_file"     ? &ca_file_
                                                   : nullptr;
    demand(to != nullptr, entry.name + " is not known");
    demand(to == nullptr || entry.quoted, entry.name + " must be a text in quotes");
    if (to != nullptr && entry.quoted)
      *to = entry.text;
    if (to == &ca_file_)
      made_.ca_file = ca_file_;
  }

  [[nodiscard]] std::optional<std::uint64_t> number_of(const option& bounds,
                                                       const file_entry& entry) {
    const auto value =
        entry.supported ? parse_value(bounds, entry.text)
                        : fail(errc::invalid_input, "must be a whole number or a text");
    if (value)
      return std::get<std::uint64_t>(*value);
    demand(false, entry.name + ": " + value.error().what);
    return std::nullopt;
  }

  void take_header(const file_entry& entry) {
    auto name = entry.name.substr(header_prefix.size());
    const auto fits = entry.quoted && is_header_name(name) && is_printable(entry.text);
    demand(fits, entry.name + " must be a header's name and its text in quotes");
    if (fits)
      made_.headers.emplace_back(std::move(name), entry.text);
  }

  void take_key_file() {
    if (key_file_.empty() || !made_.key.empty())
      return;
    auto key = read_key(key_file_);
    demand(key.has_value(), "key_file: holds no key that can be read");
    made_.key = std::move(key).value_or("");
  }

  std::string where_;
  std::vector<std::string>& mistakes_;
  tool_settings made_;
  std::string key_file_;
  std::string ca_file_;
};

} // namespace

std::vector<std::string> gather_tools(tools_settings& in,
                                      std::span<const file_table> tables,
                                      const std::string& file) {
  auto mistakes = std::vector<std::string>{};
  for (const auto& one : tables) {
    const auto where = std::format("{}:{}: tools", file, one.line);
    auto made = reader{where, mistakes}.read(one);
    if (std::ranges::contains(in.all, made.name, &tool_settings::name))
      mistakes.push_back(where + ": the name is taken by another tool");
    in.all.push_back(std::move(made));
  }
  if (in.all.size() > most_tools)
    mistakes.push_back(std::format("{}: at most {} tools", file, most_tools));
  return mistakes;
}

std::vector<option_report> report_tools(const tools_settings& in) {
  auto lines = std::vector<option_report>{};
  for (const auto& one : in.all) {
    const auto line = [&](std::string_view what, std::string value,
                          std::string meaning) {
      lines.push_back({std::format("tools.{}.{}", one.name, what), std::move(value),
                       "tools", std::move(meaning)});
    };
    line("url", one.url, "A tool that engines may call.");
    line("key", one.key.empty() ? "" : "***", "Its key.");
    line("timeout", std::format("{}ms", one.timeout.count()), "Of one call.");
    line("max_result_bytes", std::to_string(one.max_result_bytes),
         "What is longer is cut.");
  }
  return lines;
}

} // namespace jessica::config
