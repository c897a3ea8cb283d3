#include "wire/memory_json.hpp"

#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/pg_moment.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <format>
#include <utility>
#include <vector>

namespace jessica::wire {
namespace {

namespace json = boost::json;

constexpr auto max_query_bytes = std::size_t{32'768};
constexpr auto max_dimensions = std::size_t{16'000};

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

/// A field that may be absent; null counts as absent.
[[nodiscard]] const json::value* find(const json::object& in, std::string_view field) {
  const auto* const value = in.if_contains(field);
  return value == nullptr || value->is_null() ? nullptr : value;
}

[[nodiscard]] result<std::optional<float>> read_number(const json::object& in,
                                                       std::string_view field) {
  const auto* const value = find(in, field);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_number())
    return invalid(std::format("{} must be a number", field));
  return static_cast<float>(value->to_number<double>());
}

[[nodiscard]] result<std::vector<float>> read_embedding(const json::object& in) {
  const auto* const value = find(in, "embedding");
  if (value == nullptr)
    return std::vector<float>{};
  if (!value->is_array() || value->get_array().empty() ||
      value->get_array().size() > max_dimensions)
    return invalid(
        std::format("embedding must be an array of 1 to {} numbers", max_dimensions));
  auto vector = std::vector<float>{};
  auto length = 0.0;
  for (const auto& one : value->get_array()) {
    if (!one.is_number())
      return invalid("embedding must hold numbers only");
    vector.push_back(static_cast<float>(one.to_number<double>()));
    length += double{vector.back()} * double{vector.back()};
  }
  if (length == 0 || !std::isfinite(length))
    return invalid("embedding must not be zero or infinite");
  // Scores are cosines, however long the client's vector is.
  const auto scale = static_cast<float>(1 / std::sqrt(length));
  for (auto& one : vector)
    one *= scale;
  return vector;
}

template <class Id>
[[nodiscard]] result<std::optional<Id>>
read_id(const json_reader& in, std::string_view field, std::string_view path) {
  const auto text = in.text(field);
  if (!text)
    return std::unexpected{text.error()};
  if (!*text)
    return std::nullopt;
  const auto id = Id::parse(**text);
  if (!id || id->none())
    return invalid(std::format("{} must be a UUID", path));
  return id;
}

[[nodiscard]] result<std::optional<timestamp>> read_time(const json_reader& in,
                                                         std::string_view field) {
  const auto text = in.text(field);
  if (!text)
    return std::unexpected{text.error()};
  if (!*text)
    return std::nullopt;
  const auto moment = read_moment(**text, moment_zone::heeded);
  if (!moment)
    return invalid(
        std::format("filter.{} must be a time, as 2026-11-22T10:00:00Z", field));
  return timestamp{std::chrono::microseconds{*moment}};
}

[[nodiscard]] result<std::optional<message_role>> read_role(const json_reader& in) {
  const auto text = in.text("role");
  if (!text)
    return std::unexpected{text.error()};
  if (!*text)
    return std::nullopt;
  const auto role = role_named(**text);
  if (!role)
    return invalid("filter.role must be user, assistant, system or tool");
  return role;
}

[[nodiscard]] result<memory_filter> read_filter(const json_reader& body) {
  const auto object = body.object("filter");
  if (!object)
    return std::unexpected{object.error()};
  auto filter = memory_filter{};
  if (*object == nullptr)
    return filter;
  for (const auto& [key, value] : **object)
    if (key != "conversation_id" && key != "exclude_conversation_id" && key != "role" &&
        key != "since" && key != "before")
      return invalid(std::format("filter.{} is not known", std::string_view{key}));
  const auto in = json_reader{**object, "filter"};
  const auto only =
      read_id<conversation_id>(in, "conversation_id", "filter.conversation_id");
  const auto without = read_id<conversation_id>(in, "exclude_conversation_id",
                                                "filter.exclude_conversation_id");
  const auto role = read_role(in);
  const auto since = read_time(in, "since");
  const auto before = read_time(in, "before");
  for (const auto* wrong :
       {only ? nullptr : &only.error(), without ? nullptr : &without.error(),
        role ? nullptr : &role.error(), since ? nullptr : &since.error(),
        before ? nullptr : &before.error()})
    if (wrong != nullptr)
      return std::unexpected{*wrong};
  return memory_filter{*only, *without, *role, *since, *before};
}

/// The query or the vector; hybrid needs the words.
[[nodiscard]] result<void> read_subject(const json::object& in, const json_reader& body,
                                        memory_question& to) {
  auto text = body.text("query");
  if (!text)
    return std::unexpected{std::move(text.error())};
  auto vector = read_embedding(in);
  if (!vector)
    return std::unexpected{std::move(vector.error())};
  const auto hybrid = body.flag("hybrid", false);
  if (!hybrid)
    return std::unexpected{hybrid.error()};
  const auto blank =
      !*text || (*text)->find_first_not_of(" \t\n\v\f\r") == std::string::npos;
  if (blank && (vector->empty() || *text))
    return invalid("query must not be empty, unless there is an embedding");
  if (*text && (*text)->size() > max_query_bytes)
    return invalid(std::format("query must be at most {} bytes", max_query_bytes));
  if (*hybrid && blank)
    return invalid("hybrid needs a query");
  to.text = std::move(*text).value_or("");
  to.vector = std::move(*vector);
  to.hybrid = *hybrid;
  return {};
}

[[nodiscard]] result<void> read_bounds(const json::object& in, const json_reader& body,
                                       std::size_t max_k, memory_question& to) {
  const auto k = body.integer("k");
  if (!k)
    return std::unexpected{k.error()};
  if (*k && (**k < 1 || **k > static_cast<std::int64_t>(max_k)))
    return invalid(std::format("k must be 1 to {}", max_k));
  const auto score = read_number(in, "min_score");
  if (!score)
    return std::unexpected{score.error()};
  if (*score && !(**score >= -1 && **score <= 1))
    return invalid("min_score must be -1 to 1");
  const auto after = body.text("after_lsn");
  if (!after)
    return std::unexpected{after.error()};
  const auto place = lsn::parse(after->value_or("0/0"));
  if (!place)
    return invalid("after_lsn must be a place in the log, as 0/16B3748");
  to.k = static_cast<std::size_t>(k->value_or(static_cast<std::int64_t>(to.k)));
  to.k = std::min(to.k, max_k);
  to.min_score = *score;
  to.after = *place;
  return {};
}

} // namespace

result<memory_request> read_memory_search(std::string_view text, std::size_t max_k) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto body = json_reader{*parsed};
  auto asked = memory_request{};
  if (auto read = read_subject(*parsed, body, asked.what); !read)
    return std::unexpected{std::move(read.error())};
  if (auto read = read_bounds(*parsed, body, max_k, asked.what); !read)
    return std::unexpected{std::move(read.error())};
  auto filter = read_filter(body);
  if (!filter)
    return std::unexpected{std::move(filter.error())};
  const auto user = read_id<user_id>(body, "user_id", "user_id");
  if (!user)
    return std::unexpected{user.error()};
  asked.what.filter = *filter;
  asked.user = *user;
  return asked;
}

std::string memories_json(std::span<const found_memory> found, std::size_t most_bytes) {
  auto all = std::string{"["};
  for (const auto& one : found) {
    const auto fits = all.size() + one.content.size() <= most_bytes;
    constexpr auto fixed = std::size_t{256};
    auto object = object_writer{fixed + one.content.size() + one.excerpt.size()};
    object.text("message_id", one.message.str())
        .json("score", std::format("{:.4f}", one.score))
        .text("content", fits ? one.content : one.excerpt)
        .text("created_at", std::format("{:%FT%T}Z", one.said_at))
        .text("conversation_id", one.conversation.str())
        .text("role", name(one.role))
        .text("excerpt", one.excerpt);
    if (one.cut || !fits)
      object.flag("truncated", true);
    all += (all.size() == 1 ? "" : ",") + object.done();
  }
  return all + ']';
}

} // namespace jessica::wire
