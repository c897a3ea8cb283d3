#include "wire/tool_json.hpp"

#include "domain/utf8.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <chrono>
#include <cstddef>
#include <format>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto most_told_bytes = std::size_t{4096};
constexpr auto most_excerpt_bytes = std::size_t{1024};
constexpr auto most_query_bytes = std::size_t{4096};
constexpr auto usual_finds = std::int64_t{5};
constexpr auto most_finds = std::int64_t{10};

[[nodiscard]] object_writer begin_event(reply_ref of, const tool_call& call,
                                        std::string_view status) {
  constexpr auto fixed = std::size_t{256};
  const auto arguments = cut_utf8(call.arguments, most_told_bytes);
  auto event = object_writer{fixed + quoted_size(arguments)};
  event.text("id", of.reply.str())
      .number("attempt", of.attempt)
      .text("call_id", call.id)
      .text("name", call.name)
      .text("status", status)
      .text("arguments", arguments);
  return event;
}

[[nodiscard]] std::unexpected<error> refuse(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

} // namespace

std::string reply_tool_begun(reply_ref of, const tool_call& call) {
  return begin_event(of, call, "running").done();
}

std::string reply_tool_ended(reply_ref of, const tool_outcome& what) {
  auto event = begin_event(of, what.call, what.failed ? "failed" : "done");
  event.text("result", cut_utf8(what.result, most_told_bytes))
      .number("took_ms", what.took.count());
  return event.done();
}

tool memory_tool() {
  return {
      "search_memory",
      "Searches everything that this user and you said in earlier conversations, by "
      "meaning. Use it when the answer may depend on what was said before.",
      R"({"type":"object","properties":{)"
      R"("query":{"type":"string","description":"What to look for, in words."},)"
      R"("k":{"type":"integer","minimum":1,"maximum":10,)"
      R"("description":"How many excerpts; 5 if not given."}},)"
      R"("required":["query"]})"};
}

result<memory_question> read_memory_call(std::string_view arguments) {
  const auto parsed = parse_object(arguments);
  if (!parsed)
    return refuse("the arguments are no JSON object");
  const auto fields = json_reader{*parsed};
  auto query = fields.required_text("query");
  if (!query)
    return query.transform([](auto&&) { return memory_question{}; });
  if (query->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse("query must not be empty");
  const auto k = fields.integer("k");
  if (!k || (*k && (**k < 1 || **k > most_finds)))
    return refuse(std::format("k must be a whole number from 1 to {}", most_finds));
  auto asked = memory_question{};
  asked.text = cut_utf8(*query, most_query_bytes);
  asked.k = static_cast<std::size_t>(k->value_or(usual_finds));
  return asked;
}

std::string memory_result(std::span<const found_memory> found) {
  auto all = std::string{"["};
  for (const auto& one : found) {
    auto object = object_writer{};
    object
        .text("time", std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(
                                                   one.said_at)))
        .text("role", name(one.role))
        .text("excerpt", cut_utf8(one.excerpt, most_excerpt_bytes));
    all += (all.size() == 1 ? "" : ",") + object.done();
  }
  return all + ']';
}

} // namespace jessica::wire
