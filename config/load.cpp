#include "config/load.hpp"

#include "config/file.hpp"
#include "config/key_rules.hpp"
#include "config/option_text.hpp"
#include "config/prices.hpp"
#include "config/providers.hpp"
#include "config/tools.hpp"
#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

namespace jessica::config {
namespace {

constexpr auto default_file = std::string_view{"jessica.toml"};

/// Name of an option as one source spells it; each source has its own speller.
using speller = std::string (*)(std::string_view);

std::string as_written(std::string_view name) {
  return std::string{name};
}

/// Flags that only one command knows: they stay among its words.
constexpr auto flags_of_models = std::array<std::string_view, 2>{"--to", "--int8"};

[[nodiscard]] bool is_of_command(std::string_view argument,
                                 const std::vector<std::string>& words) {
  if (words.empty())
    return false;
  if (words.front() == "verify")
    return argument == "--deep";
  return words.front() == "models" &&
         std::ranges::contains(flags_of_models, argument.substr(0, argument.find('=')));
}

/// "--net.port" and "--net_port" are "--net-port".
std::string normal_flag(std::string_view flag) {
  return flag_name(flag.substr(std::string_view{"--"}.size()));
}

const option* find_option(std::string_view spelled, speller spell) {
  for (const auto& one : options())
    if (spell(one.name) == spelled ||
        (!one.alias.empty() && spell(one.alias) == spelled))
      return &one;
  return nullptr;
}

/// " (did you mean X?)" for the closest name, or nothing when none is close.
std::string suggestion(std::string_view spelled, speller spell,
                       std::vector<std::string> names = {}) {
  for (const auto& one : options()) {
    names.push_back(spell(one.name));
    if (!one.alias.empty())
      names.push_back(spell(one.alias));
  }
  const auto distance = [&](const std::string& name) {
    return edit_distance(spelled, name);
  };
  const auto closest = std::ranges::min_element(names, {}, distance);
  const auto close_enough = std::max(std::size_t{2}, spelled.size() / 4);
  if (distance(*closest) > close_enough)
    return {};
  return std::format(" (did you mean {}?)", *closest);
}

/// Collects values from all sources, the strongest source last, and every mistake.
class collector {
public:
  /// `where` names the source in mistakes, `origin` in reports.
  void take(const option& of, std::string_view text, const std::string& where,
            std::string origin) {
    const auto value = parse_value(of, text);
    if (!value)
      return mistake(where + ": " + value.error().what);
    of.assign(values_, *value);
    origins_[index(of)] = std::move(origin);
  }

  void mistake(std::string what) { mistakes_.push_back(std::move(what)); }

  void take_providers(std::span<const file_table> tables, const std::string& file) {
    for (auto& one : gather_providers(values_, tables, file))
      mistake(std::move(one));
  }

  void take_tools(std::span<const file_table> tables, const std::string& file) {
    for (auto& one : gather_tools(values_.tools, tables, file))
      mistake(std::move(one));
  }

  void take_prices(std::span<const file_table> tables, const std::string& file) {
    for (auto& one : gather_prices(values_.quota, tables, file))
      mistake(std::move(one));
  }

  /// What no single value shows.
  void check_together() {
    constexpr auto beats_a_lease = 3; // two may be late before the jobs are lost
    const auto& jobs = values_.inference;
    if (jobs.heartbeat * beats_a_lease > jobs.lease)
      mistake(std::format("inference.lease is {}: must be at least {} times "
                          "inference.heartbeat, which is {}",
                          duration_text(jobs.lease), beats_a_lease,
                          duration_text(jobs.heartbeat)));
    for (auto& one : mistakes_of_keys(values_.auth))
      mistake(std::move(one));
    check_mail();
    check_embedding();
    if (const auto& most = values_.quota.cost_per_day;
        !most.empty() && !parse_millionths(most))
      mistake("quota.cost_per_day must be a decimal number below a million, with at "
              "most six decimals");
  }

  [[nodiscard]] result<loaded> finish(command_line line) && {
    if (!mistakes_.empty()) {
      auto all = std::string{};
      for (const auto& one : mistakes_)
        all.append(all.empty() ? "" : "\n").append(one);
      return fail(errc::invalid_input, std::move(all));
    }
    auto done = loaded{std::move(values_), std::move(line), {}};
    for (const auto& one : options())
      done.report.push_back({std::string{one.name}, value_text(one, done.values),
                             origins_[index(one)], std::string{one.meaning}});
    std::ranges::move(report_providers(done.values.engine),
                      std::back_inserter(done.report));
    std::ranges::move(report_tools(done.values.tools), std::back_inserter(done.report));
    std::ranges::move(report_prices(done.values.quota),
                      std::back_inserter(done.report));
    return done;
  }

private:
  void check_mail() {
    const auto& auth = values_.auth;
    const auto& mail = values_.mail;
    if (!auth.autoconfirm && auth.mail_mode == "none")
      mistake("auth.autoconfirm is false: auth.mail_mode must be sink or smtp");
    if (auth.require_reauthentication && auth.mail_mode == "none")
      mistake("auth.require_reauthentication is true: auth.mail_mode must be sink or "
              "smtp");
    if (auth.mail_mode != "smtp")
      return;
    if (mail.smtp_host.empty())
      mistake("mail.smtp_host is needed when auth.mail_mode is smtp");
    if (mail.from.empty())
      mistake("mail.from is needed when auth.mail_mode is smtp");
    if (mail.smtp_tls == "none" && mail.smtp_host != "localhost" &&
        mail.smtp_host != "127.0.0.1" && mail.smtp_host != "::1")
      mistake("mail.smtp_tls is none: mail.smtp_host must be this machine's loopback");
  }

  void check_embedding() {
    const auto& how = values_.embedding;
    if (how.engine != "openai")
      return;
    if (!is_address(how.openai_url))
      mistake("embedding.openai_url must be an https:// or http:// URL without a "
              "password when embedding.engine is openai");
    if (!is_printable(how.openai_key))
      mistake("embedding.openai_key holds characters that no key has");
    if (how.openai_model.empty())
      mistake("embedding.openai_model is needed when embedding.engine is openai");
    if (how.openai_dimensions == 0)
      mistake("embedding.openai_dimensions is needed when embedding.engine is openai");
  }

  [[nodiscard]] static std::size_t index(const option& of) {
    return static_cast<std::size_t>(&of - options().data());
  }

  settings values_;
  std::vector<std::string> origins_ =
      std::vector<std::string>(options().size(), "default");
  std::vector<std::string> mistakes_;
};

struct flag_value {
  const option* of;
  std::string flag;
  std::string text;
};

/// Reads the arguments from left to right; values are kept for later, because flags are
/// stronger than what is read after them.
class argument_reader {
public:
  explicit argument_reader(std::span<const std::string> arguments) : rest_(arguments) {}

  void read(collector& into) {
    while (!rest_.empty()) {
      const auto argument = std::string_view{rest_.front()};
      rest_ = rest_.subspan(1);
      if (argument == "--") { // all that follows are words
        line_.words.insert(line_.words.end(), rest_.begin(), rest_.end());
        return;
      }
      if (argument.size() > 1 && argument.starts_with('-') &&
          !is_of_command(argument, line_.words))
        read_flag(argument, into);
      else
        line_.words.emplace_back(argument);
    }
  }

  [[nodiscard]] command_line& line() { return line_; }
  [[nodiscard]] const std::vector<flag_value>& values() const { return values_; }
  [[nodiscard]] const std::optional<std::string>& file() const { return file_; }

private:
  void read_flag(std::string_view argument, collector& into) {
    if (read_switch(argument))
      return;
    const auto equals = argument.find('=');
    const auto flag = std::string{argument.substr(0, equals)};
    auto given = equals == argument.npos
                     ? std::nullopt
                     : std::optional{std::string{argument.substr(equals + 1)}};
    const auto named = flag.starts_with("--");
    const auto* const of = named ? find_option(normal_flag(flag), flag_name) : nullptr;
    if (of == nullptr && flag != "--config")
      return into.mistake(
          flag + " is not an option" +
          suggestion(named ? normal_flag(flag) : flag, flag_name,
                     {"--config", "--print-config", "--check", "--help", "--version"}));
    auto text = given ? given : next_value(of);
    if (!text)
      return into.mistake(flag + " needs a value");
    if (of == nullptr)
      file_ = std::move(text);
    else
      values_.push_back({of, flag, std::move(*text)});
  }

  bool read_switch(std::string_view argument) {
    const auto set = [](bool& which) {
      which = true;
      return true;
    };
    if (argument == "--print-config")
      return set(line_.print_config);
    if (argument == "--check")
      return set(line_.check);
    if (argument == "--help" || argument == "-h")
      return set(line_.help);
    if (argument == "--version")
      return set(line_.version);
    return false;
  }

  /// The argument after a flag, unless it is a flag itself. A switch alone means true.
  std::optional<std::string> next_value(const option* of) {
    const auto toggle = of != nullptr && of->form == value_form::toggle;
    const auto there = !rest_.empty() && !rest_.front().starts_with("--") &&
                       (!toggle || parse_switch(rest_.front()));
    if (!there)
      return toggle ? std::optional<std::string>{"true"} : std::nullopt;
    auto text = rest_.front();
    rest_ = rest_.subspan(1);
    return text;
  }

  std::span<const std::string> rest_;
  command_line line_;
  std::vector<flag_value> values_;
  std::optional<std::string> file_;
};

void take_file(const std::string& name, file_content& content, collector& into) {
  for (auto& one : content.mistakes)
    into.mistake(std::move(one));
  for (const auto& entry : content.entries) {
    const auto origin = std::format("{}:{}", name, entry.line);
    const auto where = origin + ": " + entry.name;
    const auto* const of = find_option(entry.name, as_written);
    if (of == nullptr)
      into.mistake(where + " is not an option" + suggestion(entry.name, as_written));
    else if (!entry.supported)
      into.mistake(where + " must be a text, a whole number, true or false");
    else if (!entry.quoted &&
             (of->form == value_form::text || of->form == value_form::path))
      into.mistake(where + " must be a text in quotes");
    else
      into.take(*of, entry.text, where, origin);
  }
}

void take_environment(const environment& lookup, std::span<const std::string> known,
                      collector& into) {
  for (const auto& variable : known)
    if (find_option(variable, variable_name) == nullptr)
      into.mistake(variable + " is not an option" +
                   suggestion(variable, variable_name));
  for (const auto& one : options()) {
    // The alias first: the option's own name is the stronger one.
    for (const auto name : {one.alias, one.name}) {
      const auto variable = name.empty() ? std::string{} : variable_name(name);
      const auto text = variable.empty() ? std::nullopt : lookup(variable);
      if (text && !text->empty()) // set to nothing is how compose files say "not set"
        into.take(one, *text, variable, variable);
    }
  }
}

std::optional<std::string> file_to_read(const std::optional<std::string>& named) {
  auto failed = std::error_code{};
  if (named || !std::filesystem::exists(default_file, failed))
    return named;
  return std::string{default_file};
}

} // namespace

result<loaded> load(std::span<const std::string> arguments, const environment& lookup,
                    std::span<const std::string> known_environment) {
  auto all = collector{};
  auto given = argument_reader{arguments};
  given.read(all);
  if (given.line().help || given.line().version)
    return loaded{{}, std::move(given.line()), {}}; // help must come through mistakes
  const auto file = file_to_read(given.file());
  auto content = file ? read_file(*file) : file_content{};
  if (file)
    take_file(*file, content, all);
  take_environment(lookup, known_environment, all);
  for (const auto& one : given.values())
    all.take(*one.of, one.text, one.flag, "flag");
  all.take_providers(content.providers, file.value_or(""));
  all.take_tools(content.tools, file.value_or(""));
  all.take_prices(content.prices, file.value_or(""));
  all.check_together();
  return std::move(all).finish(std::move(given.line()));
}

} // namespace jessica::config
