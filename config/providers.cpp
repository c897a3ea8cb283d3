#include "config/providers.hpp"

#include "config/option_text.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace jessica::config {
namespace {

constexpr auto most_key_bytes = std::size_t{16'384};
constexpr auto most_name_bytes = std::size_t{32};
constexpr auto header_prefix = std::string_view{"headers."};

[[nodiscard]] bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= most_name_bytes &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

class gatherer {
public:
  gatherer(settings& in, std::string file) : in_(in), file_(std::move(file)) {}

  void take_section() {
    if (in_.engine.url.empty())
      return;
    take_key_file(in_.engine, in_.engine.key_file, "engine.key_file");
    add(in_.engine, "engine");
  }

  void take(const file_table& table) {
    // The section's limits hold for all; who and where are each provider's own.
    auto made = settings{};
    made.engine = in_.engine;
    made.engine.name.clear();
    made.engine.url.clear();
    made.engine.key.clear();
    made.engine.key_file.clear();
    made.engine.model.clear();
    const auto where = std::format("{}:{}: providers", file_, table.line);
    for (const auto& entry : table.entries)
      take_entry(made, entry);
    take_key_file(made.engine, made.engine.key_file, where + ": key_file");
    add(made.engine, where);
  }

  [[nodiscard]] std::vector<std::string> finish() && { return std::move(mistakes_); }

private:
  void take_entry(settings& made, const file_entry& entry) {
    auto& to = made.engine;
    const auto where =
        std::format("{}:{}: providers.{}", file_, entry.line, entry.name);
    if (entry.name == "name")
      to.name = entry.text;
    else if (entry.name == "models")
      take_models(to, entry, where);
    else if (entry.name.starts_with(header_prefix))
      take_header(to, entry, where);
    else
      take_option(made, entry, where);
  }

  /// None at all would mean all of them, which nobody writes down.
  void take_models(engine_settings& to, const file_entry& entry,
                   const std::string& where) {
    auto models = entry.quoted ? std::vector{entry.text} : entry.items;
    if (models.empty() || std::ranges::contains(models, std::string{}))
      mistakes_.push_back(where + " must be a list of names in quotes");
    else
      to.models = std::move(models);
  }

  void take_header(engine_settings& to, const file_entry& entry,
                   const std::string& where) {
    auto name = entry.name.substr(header_prefix.size());
    if (!entry.quoted || !is_header_name(name) || !is_printable(entry.text))
      mistakes_.push_back(where + " must be a header's name and its text in quotes");
    else
      to.headers.emplace_back(std::move(name), entry.text);
  }

  void take_option(settings& made, const file_entry& entry, const std::string& where) {
    constexpr auto of_all = std::array<std::string_view, 3>{
        "tool_rounds", "tools_at_once", "search_memory_tool"};
    const auto name = "engine." + entry.name;
    const auto of = std::ranges::find(options(), name, &option::name);
    if (of == options().end() || std::ranges::contains(of_all, entry.name))
      return mistakes_.push_back(where + " is not known");
    const auto text = of->form == value_form::text || of->form == value_form::path;
    if (!entry.supported || (text && !entry.quoted))
      return mistakes_.push_back(where + (text ? " must be a text in quotes"
                                               : " must be a whole number or a text"));
    const auto value = parse_value(*of, entry.text);
    if (value)
      of->assign(made, *value);
    else
      mistakes_.push_back(where + ": " + value.error().what);
  }

  void take_key_file(engine_settings& to, const std::filesystem::path& file,
                     const std::string& where) {
    if (file.empty() || !to.key.empty())
      return;
    if (auto key = read_key(file))
      to.key = std::move(*key);
    else
      mistakes_.push_back(where + ": holds no key that can be read");
  }

  void add(const provider_settings& what, const std::string& where) {
    const auto demand = [&](bool promise, std::string_view otherwise) {
      if (!promise)
        mistakes_.push_back(where + ": " + std::string{otherwise});
    };
    auto& all = in_.engine.providers;
    demand(is_name(what.name), "name must be 1 to 32 of a-z, 0-9, - and _");
    demand(!std::ranges::contains(all, what.name, &provider_settings::name),
           "the name is taken by another provider");
    demand(is_address(what.url), "url must be an http:// or https:// URL without a "
                                 "password, up to /v1");
    demand(what.proxy.empty() ||
               (is_address(what.proxy) && what.proxy.starts_with("http://")),
           "proxy must be http://host:port");
    demand(is_printable(what.key), "the key holds characters that no key has");
    all.push_back(what);
  }

  settings& in_;
  std::string file_;
  std::vector<std::string> mistakes_;
};

[[nodiscard]] std::string listed(const std::vector<std::string>& names) {
  auto all = std::string{};
  for (const auto& one : names)
    all.append(all.empty() ? "" : ", ").append(one);
  return all;
}

} // namespace

bool is_header_name(std::string_view text) {
  constexpr auto ours = std::array<std::string_view, 4>{
      "host", "content-length", "transfer-encoding", "connection"};
  auto lower = std::string{text};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return !text.empty() && !std::ranges::contains(ours, lower) &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

std::optional<std::string> read_key(const std::filesystem::path& file) {
  auto stream = std::ifstream{file, std::ios::binary};
  auto text = std::string(most_key_bytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.gcount() == 0)
    return std::nullopt;
  text.resize(static_cast<std::size_t>(stream.gcount()));
  const auto end = text.find_last_not_of(" \t\r\n");
  text.resize(end == text.npos ? 0 : end + 1);
  return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_address(std::string_view url) {
  const auto rest = url.starts_with("https://")  ? url.substr(8)
                    : url.starts_with("http://") ? url.substr(7)
                                                 : std::string_view{};
  return !rest.empty() && !rest.starts_with('/') && !rest.contains('@') &&
         !rest.contains('?') && !rest.contains('#') && !rest.contains(' ') &&
         is_printable(rest);
}

std::vector<std::string> gather_providers(settings& in,
                                          std::span<const file_table> tables,
                                          const std::string& file) {
  auto all = gatherer{in, file};
  all.take_section();
  for (const auto& one : tables)
    all.take(one);
  return std::move(all).finish();
}

std::vector<option_report> report_providers(const engine_settings& in) {
  auto lines = std::vector<option_report>{};
  for (const auto& one : in.providers) {
    const auto line = [&](std::string_view what, std::string value,
                          std::string meaning) {
      lines.push_back({std::format("providers.{}.{}", one.name, what), std::move(value),
                       "providers", std::move(meaning)});
    };
    line("url", one.url, "A provider of language models.");
    line("key", one.key.empty() ? "" : "***", "Its key.");
    line("model", one.model, "Its model when nobody names one.");
    line("models", listed(one.models), "The models it answers with; empty: any.");
  }
  return lines;
}

} // namespace jessica::config
