#include "engines/chat_request.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace jessica::engines {
namespace json = boost::json;
namespace {

void add_message(json::array& to, std::string_view role, std::string_view content) {
  to.push_back(json::object{{"role", role}, {"content", content}});
}

/// Chat templates read arguments back: those that are no JSON would break all that
/// follows. What became of them stands in the result.
[[nodiscard]] std::string_view readable(std::string_view arguments) {
  auto failed = boost::system::error_code{};
  const auto parsed = json::parse(arguments, failed);
  return !failed && parsed.is_object() ? arguments : "{}";
}

[[nodiscard]] json::array calls_of(const past_turn& turn) {
  auto all = json::array{};
  for (const auto& one : turn.calls)
    all.push_back(json::object{
        {"id", one.id},
        {"type", "function"},
        {"function", {{"name", one.name}, {"arguments", readable(one.arguments)}}}});
  return all;
}

void add_turn(json::array& to, const past_turn& turn) {
  add_message(to, turn.role, turn.content);
  auto& made = to.back().get_object();
  if (!turn.answers.empty())
    made["tool_call_id"] = turn.answers;
  if (turn.calls.empty())
    return;
  made["tool_calls"] = calls_of(turn);
  if (turn.content.empty())
    made["content"] = nullptr;
}

[[nodiscard]] json::array messages_of(const prompt& asked, const chat_request& how) {
  auto all = json::array{};
  if (asked.system && !asked.system->empty())
    add_message(all, "system", *asked.system);
  for (auto i = how.first_turn; i < asked.turns.size(); ++i)
    add_turn(all, asked.turns[i]);
  if (!how.so_far.empty())
    add_message(all, "assistant", how.so_far);
  return all;
}

[[nodiscard]] json::array tools_of(const prompt& asked) {
  auto all = json::array{};
  for (const auto& one : asked.tools) {
    auto failed = boost::system::error_code{};
    auto schema = json::parse(one.parameters, failed);
    all.push_back(json::object{
        {"type", "function"},
        {"function",
         {{"name", one.name},
          {"description", one.description},
          {"parameters", failed ? json::value(json::object{}) : std::move(schema)}}}});
  }
  return all;
}

} // namespace

prefill_style read_prefill_style(std::string_view name) noexcept {
  return name == "assistant" ? prefill_style::assistant
         : name == "vllm"    ? prefill_style::vllm
                             : prefill_style::none;
}

std::string chat_body(const prompt& asked, const chat_request& how) {
  auto body = json::object{{"model", how.model},
                           {"messages", messages_of(asked, how)},
                           {"stream", true},
                           {"stream_options", {{"include_usage", true}}}};
  const auto& params = asked.params;
  if (params.temperature)
    body["temperature"] = *params.temperature;
  if (params.top_p)
    body["top_p"] = *params.top_p;
  if (params.max_tokens)
    body[how.completion_limit ? "max_completion_tokens" : "max_tokens"] =
        *params.max_tokens;
  if (!params.stop.empty())
    body["stop"] = json::array(params.stop.begin(), params.stop.end());
  if (how.tools && !asked.tools.empty())
    body["tools"] = tools_of(asked);
  if (!how.so_far.empty() && how.prefill == prefill_style::vllm) {
    body["continue_final_message"] = true;
    body["add_generation_prompt"] = false;
  }
  return json::serialize(body);
}

} // namespace jessica::engines
