#include "wire/reply_events.hpp"

#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/reply_params.hpp"

#include <format>
#include <utility>

namespace jessica::wire {
namespace {

/// Of the fixed parts of an event: ids, names and numbers.
constexpr auto event_bytes = std::size_t{160};
constexpr auto max_client_id_bytes = std::size_t{128};

[[nodiscard]] object_writer begin_event(reply_ref of, std::size_t text_bytes = 0) {
  auto event = object_writer{event_bytes + text_bytes};
  event.text("id", of.reply.str()).number("attempt", of.attempt);
  return event;
}

[[nodiscard]] std::string usage_json(const usage& used) {
  auto numbers = object_writer{};
  numbers.number("prompt_tokens", used.prompt_tokens)
      .number("completion_tokens", used.completion_tokens)
      .flag("estimated", used.estimated);
  if (used.cost)
    numbers.json("cost", text_of(*used.cost));
  return numbers.done();
}

[[nodiscard]] std::string memories_text(std::span<const recalled_memory> memories) {
  auto all = std::string{"["};
  for (const auto& one : memories) {
    auto object = object_writer{event_bytes + quoted_size(one.excerpt)};
    object.text("message_id", one.message.str())
        .text("conversation_id", one.conversation.str())
        .json("score", std::format("{:.4f}", one.score))
        .text("excerpt", one.excerpt);
    all += (all.size() == 1 ? "" : ",") + object.done();
  }
  return all + ']';
}

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

[[nodiscard]] bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

[[nodiscard]] result<std::string> read_content(const json_reader& from,
                                               std::size_t max_bytes) {
  auto content = from.required_text("content");
  if (!content)
    return content;
  if (is_blank(*content))
    return invalid("content must not be empty");
  if (content->size() > max_bytes)
    return fail(errc::too_large,
                std::format("content must be at most {} bytes", max_bytes),
                "message_too_large");
  return content;
}

[[nodiscard]] result<std::optional<conversation_id>>
read_conversation(const json_reader& from) {
  const auto text = from.text("conversation_id");
  if (!text)
    return std::unexpected{text.error()};
  if (!*text)
    return std::nullopt;
  const auto id = conversation_id::parse(**text);
  if (!id || id->none())
    return invalid("conversation_id must be a UUID");
  return id;
}

[[nodiscard]] result<std::optional<std::string>>
read_client_id(const json_reader& from) {
  auto text = from.text("client_id");
  if (text && *text && ((*text)->empty() || (*text)->size() > max_client_id_bytes))
    return invalid(std::format("client_id must be 1 to {} bytes", max_client_id_bytes));
  return text;
}

} // namespace

std::string reply_started(const job& what, std::string_view model,
                          std::span<const recalled_memory> memories) {
  auto event = object_writer{event_bytes + 2 * model.size()};
  event.text("id", what.reply.str())
      .text("message_id", what.message.str())
      .number("job_id", what.id.value)
      .number("attempt", what.attempt)
      .text("model", model)
      .json("memories", memories_text(memories));
  return event.done();
}

std::string reply_delta(reply_ref of, std::uint64_t first_seq, std::uint64_t seq,
                        std::string_view text) {
  auto event = begin_event(of, quoted_size(text));
  event.count("first_seq", first_seq).count("seq", seq).text("text", text);
  return event.done();
}

std::string reply_snapshot(reply_ref of, std::uint64_t seq, std::string_view text,
                           std::string_view status,
                           std::span<const recalled_memory> memories) {
  auto event = begin_event(of, quoted_size(text));
  event.count("seq", seq).text("text", text).text("status", status);
  if (!memories.empty())
    event.json("memories", memories_text(memories));
  return event.done();
}

std::string reply_reset(reply_ref of, std::string_view reason) {
  auto event = begin_event(of);
  event.text("reason", reason);
  return event.done();
}

std::string reply_completed(reply_ref of, std::uint64_t seq,
                            std::string_view finish_reason, const usage& used) {
  auto event = begin_event(of);
  event.count("seq", seq)
      .text("finish_reason", finish_reason)
      .json("usage", usage_json(used));
  return event.done();
}

std::string reply_failed(reply_ref of, std::uint64_t seq, std::string_view code,
                         std::string_view message) {
  auto cause = object_writer{};
  cause.text("code", code).text("message", message);
  auto event = begin_event(of);
  event.count("seq", seq).json("error", cause.done());
  return event.done();
}

std::string reply_cancelled(reply_ref of, std::uint64_t seq, const usage& used) {
  auto event = begin_event(of);
  event.count("seq", seq).json("usage", usage_json(used));
  return event.done();
}

std::string reply_model(reply_ref of, std::string_view model) {
  auto event = begin_event(of, quoted_size(model));
  event.text("model", model);
  return event.done();
}

std::string reply_reasoning(reply_ref of, std::string_view text) {
  auto event = begin_event(of, quoted_size(text));
  event.text("text", text);
  return event.done();
}

result<send_request> read_send(std::string_view json, std::size_t max_bytes) {
  const auto parsed = parse_object(json);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto fields = json_reader{*parsed};
  auto content = read_content(fields, max_bytes);
  if (!content)
    return std::unexpected{std::move(content.error())};
  const auto conversation = read_conversation(fields);
  if (!conversation)
    return std::unexpected{conversation.error()};
  auto client_id = read_client_id(fields);
  if (!client_id)
    return std::unexpected{std::move(client_id.error())};
  auto params = read_params(*parsed);
  if (!params)
    return std::unexpected{std::move(params.error())};
  return send_request{std::move(*content), *conversation, std::move(*client_id),
                      std::move(*params)};
}

result<message_id> read_stop(std::string_view json, std::string_view key) {
  const auto parsed = parse_object(json);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto text = json_reader{*parsed}.required_text(key);
  if (!text)
    return std::unexpected{text.error()};
  const auto id = message_id::parse(*text);
  if (!id)
    return fail(errc::invalid_input, std::string{key} + ": not a UUID");
  return *id;
}

result<std::optional<std::size_t>> read_max(std::string_view json) {
  const auto parsed = parse_object(json);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto max = json_reader{*parsed}.integer("max");
  if (!max)
    return std::unexpected{max.error()};
  if (*max && **max < 1)
    return fail(errc::invalid_input, "max: must be at least 1");
  return max->transform([](std::int64_t n) { return static_cast<std::size_t>(n); });
}

std::string stop_json(std::string_view status) {
  auto answer = object_writer{};
  answer.text("status", status);
  return answer.done();
}

std::string receipt_json(const receipt& what) {
  const auto conversation = what.conversation.str();
  auto ids = object_writer{288};
  ids.text("conversation_id", conversation)
      .text("message_id", what.message.str())
      .text("reply_id", what.reply.str())
      .number("job_id", what.job.value)
      .text("topic", "conversation:" + conversation);
  return ids.done();
}

} // namespace jessica::wire
