#include "wire/rest_body.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {
namespace json = boost::json;
namespace {

/// Takes a parser's events and keeps the keys of the outermost objects, and the values
/// of one flat object.
struct outline {
  static constexpr auto max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_string_size = std::numeric_limits<std::size_t>::max();
  using ec = boost::system::error_code;

  json_body body;
  std::size_t depth = 0;         ///< open arrays and objects
  std::vector<std::string> keys; ///< of the object under way
  std::string key;               ///< the parts of a key under way
  std::string value;             ///< the parts of a value under way

  /// Something begins where a row should: is it an object?
  void begin_value(bool object) {
    if (depth != (body.array ? 1U : 0U))
      return;
    body.objects = body.objects && object;
    body.rows += object ? 1 : 0;
    keys.clear();
  }
  void end_row() {
    std::ranges::sort(keys);
    const auto twice = std::ranges::unique(keys);
    if (!twice.empty())
      body.flat.reset();
    keys.erase(twice.begin(), keys.end());
    if (body.rows == 1)
      body.keys = keys;
    else
      body.uniform = body.uniform && keys == body.keys;
  }
  [[nodiscard]] bool in_row() const noexcept { return depth == (body.array ? 2U : 1U); }

  bool on_document_begin(ec&) { return true; }
  bool on_document_end(ec&) { return true; }
  bool on_object_begin(ec&) {
    begin_value(true);
    if (depth == 0)
      body.flat.emplace();
    else
      body.flat.reset();
    ++depth;
    return true;
  }
  bool on_object_end(std::size_t, ec&) {
    if (in_row())
      end_row();
    --depth;
    return true;
  }
  bool on_array_begin(ec&) {
    body.flat.reset();
    if (depth == 0)
      body.array = true;
    else
      begin_value(false);
    ++depth;
    return true;
  }
  bool on_array_end(std::size_t, ec&) {
    --depth;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, ec&) {
    if (in_row())
      key.append(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, ec&) {
    if (in_row()) {
      key.append(part);
      keys.push_back(std::exchange(key, {}));
    }
    return true;
  }
  /// Of a flat object's value under way.
  bool more(json::string_view part) {
    if (body.flat)
      value.append(part);
    return true;
  }
  bool scalar(json::string_view part) {
    begin_value(false);
    more(part);
    if (value.contains('\0'))
      body.flat.reset();
    if (body.flat)
      body.flat->push_back({keys.back(), std::exchange(value, {})});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, ec&) { return more(part); }
  bool on_string(json::string_view part, std::size_t, ec&) { return scalar(part); }
  bool on_number_part(json::string_view part, ec&) { return more(part); }
  bool on_int64(std::int64_t, json::string_view part, ec&) { return scalar(part); }
  bool on_uint64(std::uint64_t, json::string_view part, ec&) { return scalar(part); }
  bool on_double(double, json::string_view part, ec&) { return scalar(part); }
  bool on_bool(bool is, ec&) { return scalar(is ? "true" : "false"); }
  bool on_null(ec&) {
    scalar({});
    if (body.flat)
      body.flat->back().value.reset();
    return true;
  }
  bool on_comment_part(json::string_view, ec&) { return true; }
  bool on_comment(json::string_view, ec&) { return true; }
};

[[nodiscard]] json::parse_options limits() {
  constexpr auto deep = std::size_t{128}; // a column's document may be
  auto made = json::parse_options{};
  made.max_depth = deep;
  made.numbers = json::number_precision::none; // PostgreSQL reads them
  return made;
}

} // namespace

result<json_body> read_body(std::string text) {
  auto parser = json::basic_parser<outline>{limits()};
  auto why = boost::system::error_code{};
  const auto read = parser.write_some(false, text.data(), text.size(), why);
  if (why || read != text.size())
    return fail(errc::invalid_input, "Empty or invalid json", "PGRST102");
  auto body = std::move(parser.handler().body);
  body.text = std::move(text);
  return body;
}

} // namespace jessica::wire
