#include "wire/embed_json.hpp"

#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <boost/json/array.hpp>

#include <charconv>
#include <format>
#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] std::unexpected<error> refuse(std::string why) {
  return fail(errc::invalid_input, std::move(why), "validation_failed");
}

[[nodiscard]] result<void> check_text(std::string_view text, std::string_view field,
                                      embed_limits limits) {
  constexpr auto blank = std::string_view{" \t\r\n\v\f"};
  if (text.size() > limits.bytes)
    return fail(errc::too_large,
                std::format("{} is longer than {} bytes", field, limits.bytes),
                "text_too_large");
  if (text.find_first_not_of(blank) == std::string_view::npos)
    return refuse(std::format("{} must not be empty", field));
  return {};
}

[[nodiscard]] result<std::vector<std::string>>
read_texts(const boost::json::value& value, embed_limits limits) {
  const auto* const array = value.if_array();
  if (!array || array->empty())
    return refuse("texts must be an array of strings, not empty");
  if (array->size() > limits.texts)
    return fail(errc::too_large, std::format("more than {} texts", limits.texts),
                "too_many_texts");
  auto texts = std::vector<std::string>{};
  for (const auto& item : *array) {
    const auto* const text = item.if_string();
    const auto field = std::format("texts[{}]", texts.size());
    if (!text)
      return refuse(field + " must be a string");
    if (auto good = check_text({text->data(), text->size()}, field, limits); !good)
      return std::unexpected{std::move(good.error())};
    texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

[[nodiscard]] result<message_id>
read_id(const json_reader& from, std::string_view field, std::string_view name) {
  const auto text = from.required_text(field);
  if (!text)
    return std::unexpected{text.error()};
  const auto id = uuid::parse(*text);
  if (!id)
    return refuse(std::format("{} must be a UUID", name));
  return message_id{*id};
}

/// What Supabase's webhooks send; a plain {record} is enough.
[[nodiscard]] result<embed_request> read_webhook(const json_reader& body) {
  const auto type = body.text("type");
  const auto table = body.text("table");
  if (!type || !table)
    return std::unexpected{type ? table.error() : type.error()};
  if (table->value_or("messages") != "messages")
    return refuse("table must be messages");
  const auto kind = type->value_or("INSERT");
  if (kind != "INSERT" && kind != "UPDATE" && kind != "DELETE")
    return refuse("type must be INSERT, UPDATE or DELETE");
  const auto deleted = kind == "DELETE";
  const auto* const field = deleted ? "old_record" : "record";
  const auto row = body.object(field);
  if (!row)
    return std::unexpected{row.error()};
  if (!*row)
    return refuse(std::format("{} is missing", field));
  const auto id = read_id(json_reader{**row, field}, "id", std::string{field} + ".id");
  if (!id)
    return std::unexpected{id.error()};
  return embed_request{.texts = {}, .query = false, .message = *id, .deleted = deleted};
}

[[nodiscard]] result<bool> read_purpose(const json_reader& body) {
  const auto purpose = body.text("purpose");
  if (!purpose)
    return std::unexpected{purpose.error()};
  const auto word = purpose->value_or("document");
  if (word != "document" && word != "query")
    return refuse("purpose must be query or document");
  return word == "query";
}

[[nodiscard]] result<std::vector<std::string>> read_one_text(const json_reader& body,
                                                             embed_limits limits) {
  auto text = body.required_text("text");
  if (!text)
    return std::unexpected{std::move(text.error())};
  if (auto good = check_text(*text, "text", limits); !good)
    return std::unexpected{std::move(good.error())};
  return std::vector{std::move(*text)};
}

} // namespace

result<embed_request> read_embed(std::string_view json, embed_limits limits) {
  const auto parsed = parse_object(json);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto body = json_reader{*parsed};
  const auto given = [&](std::string_view field) {
    return parsed->contains(field) && !parsed->at(field).is_null();
  };
  const auto webhook = given("record") || given("old_record") || given("type");
  const auto ways = int{given("text")} + int{given("texts")} +
                    int{given("message_id")} + int{webhook};
  if (ways != 1)
    return refuse("give either text, texts, message_id or a webhook's record");
  if (webhook)
    return read_webhook(body);
  if (given("message_id"))
    return read_id(body, "message_id", "message_id").transform([](message_id id) {
      return embed_request{.texts = {}, .query = false, .message = id};
    });
  const auto query = read_purpose(body);
  if (!query)
    return std::unexpected{query.error()};
  auto texts = given("texts") ? read_texts(parsed->at("texts"), limits)
                              : read_one_text(body, limits);
  return std::move(texts).transform([&](std::vector<std::string> read) {
    return embed_request{.texts = std::move(read), .query = *query, .message = {}};
  });
}

std::string embeddings_json(std::string_view model,
                            std::span<const std::vector<float>> vectors) {
  constexpr auto longest = std::size_t{16};
  auto all = std::string{"["};
  for (const auto& one : vectors) {
    all += all.size() == 1 ? "[" : ",[";
    for (auto i = std::size_t{0}; i < one.size(); ++i) {
      char digits[longest];
      const auto end = std::to_chars(digits, digits + longest, one[i]).ptr;
      if (i > 0)
        all.push_back(',');
      all.append(digits, end);
    }
    all.push_back(']');
  }
  all.push_back(']');
  return object_writer{}
      .text("model", model)
      .count("dim", vectors.empty() ? 0 : vectors.front().size())
      .json("embeddings", all)
      .done();
}

std::string embedded_json(message_id message, std::size_t pieces, lsn position) {
  auto body = object_writer{};
  body.text("message_id", message.str()).count("chunks", pieces);
  if (!position.none())
    body.text("lsn", position.str());
  return body.done();
}

} // namespace jessica::wire
