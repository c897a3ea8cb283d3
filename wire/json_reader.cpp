#include "wire/json_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

[[nodiscard]] json::parse_options parse_limits() {
  auto limits = json::parse_options{};
  limits.max_depth = max_json_depth;
  limits.numbers = json::number_precision::precise;
  return limits;
}

[[nodiscard]] std::unexpected<error> bad_json(std::string why) {
  return fail(errc::invalid_input, std::move(why), "bad_json");
}

/// Takes a parser's events and keeps nothing.
struct ignore_events {
  static constexpr auto max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_string_size = std::numeric_limits<std::size_t>::max();
  using ec = boost::system::error_code;

  bool on_document_begin(ec&) { return true; }
  bool on_document_end(ec&) { return true; }
  bool on_object_begin(ec&) { return true; }
  bool on_object_end(std::size_t, ec&) { return true; }
  bool on_array_begin(ec&) { return true; }
  bool on_array_end(std::size_t, ec&) { return true; }
  bool on_key_part(json::string_view, std::size_t, ec&) { return true; }
  bool on_key(json::string_view, std::size_t, ec&) { return true; }
  bool on_string_part(json::string_view, std::size_t, ec&) { return true; }
  bool on_string(json::string_view, std::size_t, ec&) { return true; }
  bool on_number_part(json::string_view, ec&) { return true; }
  bool on_int64(std::int64_t, json::string_view, ec&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, ec&) { return true; }
  bool on_double(double, json::string_view, ec&) { return true; }
  bool on_bool(bool, ec&) { return true; }
  bool on_null(ec&) { return true; }
  bool on_comment_part(json::string_view, ec&) { return true; }
  bool on_comment(json::string_view, ec&) { return true; }
};

[[nodiscard]] bool has_nul(std::string_view text) noexcept {
  return text.find('\0') != std::string_view::npos;
}

/// May a jsonb column hold it? Not NUL characters; and a number that overflowed a
/// double is written back as one with 99,999 digits.
[[nodiscard]] bool storable(const json::value& value) {
  switch (value.kind()) {
  case json::kind::string:
    return !has_nul(value.get_string());
  case json::kind::double_:
    return std::isfinite(value.get_double());
  case json::kind::array:
    return std::ranges::all_of(value.get_array(), storable);
  case json::kind::object:
    return std::ranges::all_of(value.get_object(), [](const auto& member) {
      return !has_nul(member.key()) && storable(member.value());
    });
  default:
    return true;
  }
}

} // namespace

result<json::value> parse_json(std::string_view text, json::storage_ptr memory) {
  auto failure = boost::system::error_code{};
  auto parsed = json::parse(text, failure, std::move(memory), parse_limits());
  if (failure)
    return bad_json(failure.message());
  return parsed;
}

result<json::object> parse_object(std::string_view text, json::storage_ptr memory) {
  if (text.empty())
    return json::object{std::move(memory)};
  auto parsed = parse_json(text, std::move(memory));
  if (!parsed)
    return std::unexpected{std::move(parsed.error())};
  if (!parsed->is_object())
    return bad_json("the document must be an object");
  return std::move(parsed->get_object());
}

bool valid_json(std::string_view text) {
  auto parser = json::basic_parser<ignore_events>{parse_limits()};
  auto failure = boost::system::error_code{};
  const auto used = parser.write_some(false, text.data(), text.size(), failure);
  return !failure && used == text.size();
}

json_reader::json_reader(const json::object& object, std::string path)
    : object_{object}, path_{std::move(path)} {
  if (!path_.empty())
    path_ += '.';
}

const json::value* json_reader::find(std::string_view field) const {
  const auto* found = object_.if_contains(field);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::unexpected<error> json_reader::refuse(std::string_view field,
                                           std::string_view why) const {
  auto what = path_;
  what += field;
  what += ' ';
  what += why;
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

result<std::optional<std::string>> json_reader::text(std::string_view field) const {
  const auto* found = find(field);
  if (found == nullptr)
    return std::nullopt;
  if (!found->is_string())
    return refuse(field, "must be a string");
  const auto value = std::string_view{found->get_string()};
  if (has_nul(value))
    return refuse(field, "must not hold a NUL character");
  return std::string{value};
}

result<std::string> json_reader::required_text(std::string_view field) const {
  auto found = text(field);
  if (!found)
    return std::unexpected{std::move(found.error())};
  if (!*found)
    return refuse(field, "is required");
  return std::move(**found);
}

result<std::string> json_reader::object_text(std::string_view field) const {
  const auto* found = find(field);
  if (found == nullptr)
    return "{}";
  if (!found->is_object())
    return refuse(field, "must be an object");
  if (!storable(*found))
    return refuse(field, "must not hold NUL characters or numbers out of range");
  return json::serialize(*found);
}

result<bool> json_reader::flag(std::string_view field, bool fallback) const {
  const auto* found = find(field);
  if (found == nullptr)
    return fallback;
  if (found->is_bool())
    return found->get_bool();
  if (found->is_string() && found->get_string() == "true")
    return true;
  if (found->is_string() && found->get_string() == "false")
    return false;
  return refuse(field, "must be true or false");
}

result<std::optional<std::int64_t>> json_reader::integer(std::string_view field) const {
  const auto* found = find(field);
  if (found == nullptr)
    return std::nullopt;
  const auto number = whole_number(*found);
  if (!number)
    return refuse(field, "must be a whole number");
  return number;
}

result<const json::object*> json_reader::object(std::string_view field) const {
  const auto* found = find(field);
  if (found == nullptr)
    return nullptr;
  if (!found->is_object())
    return refuse(field, "must be an object");
  return &found->get_object();
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  constexpr auto limit = std::int64_t{1} << 53;
  if (const auto* whole = value.if_int64())
    return *whole >= -limit && *whole <= limit ? std::optional{*whole} : std::nullopt;
  const auto* number = value.if_double();
  if (number == nullptr || std::abs(*number) > static_cast<double>(limit) ||
      std::trunc(*number) != *number)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

} // namespace jessica::wire
