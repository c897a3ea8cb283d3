#include "wire/reply_params.hpp"

#include "wire/json_reader.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <cstdint>
#include <format>
#include <optional>
#include <string>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto most_tokens = std::int64_t{1'000'000};
constexpr auto most_stops = std::size_t{4}; // what OpenAI takes
constexpr auto most_stop_bytes = std::size_t{128};
constexpr auto most_model_bytes = std::size_t{128};
constexpr auto most_tools = std::size_t{64};

[[nodiscard]] std::unexpected<error> refuse(std::string what) {
  return fail(errc::invalid_input, "params." + std::move(what), "validation_failed");
}

/// Puts `value` into `to`, or gives back why not.
template <class T, class U>
[[nodiscard]] std::optional<error> put(result<T> value, U& to) {
  if (!value)
    return std::move(value.error());
  to = std::move(*value);
  return std::nullopt;
}

[[nodiscard]] result<std::optional<double>> read_number(const json::object& from,
                                                        std::string_view field,
                                                        bool (*fits)(double),
                                                        std::string_view range) {
  const auto* const found = from.if_contains(field);
  if (found == nullptr || found->is_null())
    return std::nullopt;
  if (!found->is_number() || !fits(found->to_number<double>()))
    return refuse(std::format("{} must be a number {}", field, range));
  return found->to_number<double>();
}

[[nodiscard]] result<std::optional<std::string>> read_model(const json_reader& fields) {
  auto model = fields.text("model");
  if (model && *model && ((*model)->empty() || (*model)->size() > most_model_bytes))
    return refuse(std::format("model must be 1 to {} bytes", most_model_bytes));
  if (model && *model)
    for (const auto c : **model)
      if (static_cast<unsigned char>(c) < ' ')
        return refuse("model must not hold control characters");
  return model;
}

[[nodiscard]] result<std::optional<std::int64_t>>
read_max_tokens(const json_reader& fields) {
  const auto number = fields.integer("max_tokens");
  if (number && *number && (**number < 1 || **number > most_tokens))
    return refuse(std::format("max_tokens must be from 1 to {}", most_tokens));
  return number;
}

[[nodiscard]] bool fits_stop(const json::value& value) {
  const auto* const text = value.if_string();
  return text != nullptr && !text->empty() && text->size() <= most_stop_bytes &&
         !std::string_view{*text}.contains('\0');
}

[[nodiscard]] result<std::vector<std::string>>
read_stop_texts(const json::object& from) {
  const auto* const found = from.if_contains("stop");
  auto texts = std::vector<std::string>{};
  if (found == nullptr || found->is_null())
    return texts;
  const auto alone = json::array{*found};
  const auto& all = found->is_array() ? found->get_array() : alone;
  if (all.size() > most_stops)
    return refuse(std::format("stop must be at most {} texts", most_stops));
  for (const auto& one : all) {
    if (!fits_stop(one))
      return refuse(std::format(
          "stop must be a text of 1 to {} bytes, or a list of them", most_stop_bytes));
    texts.emplace_back(one.get_string());
  }
  return texts;
}

/// True is the same as nothing said.
[[nodiscard]] result<std::optional<std::vector<std::string>>>
read_tools(const json::object& from) {
  constexpr auto wanted = "tools must be false or a list of at most 64 names";
  const auto* const found = from.if_contains("tools");
  if (found == nullptr || found->is_null())
    return std::nullopt;
  if (const auto* const any = found->if_bool())
    return *any ? std::nullopt : std::optional{std::vector<std::string>{}};
  const auto* const list = found->if_array();
  if (list == nullptr || list->size() > most_tools)
    return refuse(wanted);
  auto names = std::vector<std::string>{};
  for (const auto& one : *list) {
    const auto* const name = one.if_string();
    if (name == nullptr)
      return refuse(wanted);
    names.emplace_back(*name);
  }
  return names;
}

} // namespace

result<reply_params> read_reply_params(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto fields = json_reader{*parsed, "params"};
  constexpr auto hot = [](double t) { return t >= 0 && t <= 2; };
  constexpr auto likely = [](double p) { return p > 0 && p <= 1; };
  auto read = reply_params{};
  auto bad = put(read_model(fields), read.model);
  if (!bad)
    bad = put(fields.text("system"), read.system);
  if (!bad)
    bad =
        put(read_number(*parsed, "temperature", hot, "from 0 to 2"), read.temperature);
  if (!bad)
    bad = put(read_number(*parsed, "top_p", likely, "above 0, at most 1"), read.top_p);
  if (!bad)
    bad = put(read_max_tokens(fields), read.max_tokens);
  if (!bad)
    bad = put(read_stop_texts(*parsed), read.stop);
  if (!bad)
    bad = put(read_tools(*parsed), read.tools);
  if (bad)
    return std::unexpected{std::move(*bad)};
  return read;
}

result<std::string> read_params(const json::object& body) {
  constexpr auto most_bytes = std::size_t{16'384};
  auto text = json_reader{body}.object_text("params");
  if (text && text->size() > most_bytes)
    return fail(errc::too_large,
                std::format("params must be at most {} bytes", most_bytes),
                "params_too_large");
  if (text)
    if (const auto read = read_reply_params(*text); !read)
      return std::unexpected{read.error()};
  return text;
}

} // namespace jessica::wire
