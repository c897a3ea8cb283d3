#include "wire/openai_answer.hpp"

#include "wire/json_writer.hpp"

#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] std::string usage_json(const usage& what) {
  return object_writer{}
      .number("prompt_tokens", what.prompt_tokens)
      .number("completion_tokens", what.completion_tokens)
      .number("total_tokens", what.prompt_tokens + what.completion_tokens)
      .done();
}

/// A stream numbers the calls, so that their pieces can be put together.
[[nodiscard]] std::string calls_json(std::span<const tool_call> all, bool numbered) {
  auto list = std::string{"["};
  for (const auto& one : all) {
    if (list.size() > 1)
      list += ',';
    auto call = object_writer{};
    if (numbered)
      call.count("index", static_cast<std::uint64_t>(&one - all.data()));
    list += call.text("id", one.id)
                .text("type", "function")
                .json("function", object_writer{}
                                      .text("name", one.name)
                                      .text("arguments", one.arguments)
                                      .done())
                .done();
  }
  return list + "]";
}

} // namespace

void append_event(std::string& to, std::string_view json) {
  to.append("data: ").append(json).append("\n\n");
}

completion_chunks::completion_chunks(completion_head of, bool with_usage)
    : of_(std::move(of)), with_usage_(with_usage) {
  write_prefix();
}

void completion_chunks::answered_by(std::string model) {
  of_.model = std::move(model);
  write_prefix();
}

void completion_chunks::write_prefix() {
  auto fields = object_writer{};
  fields.text("id", of_.id)
      .text("object", "chat.completion.chunk")
      .number("created", of_.created)
      .text("model", of_.model);
  prefix_ = "data: " + fields.done();
  prefix_.back() = ',';
}

void completion_chunks::delta(std::string& to, std::string_view json,
                              std::string_view reason) const {
  to.append(prefix_).append(R"("choices":[{"index":0,"delta":)").append(json);
  to.append(R"(,"logprobs":null,"finish_reason":)");
  if (reason.empty())
    to.append("null");
  else
    append_quoted(to, reason);
  to.append(with_usage_ ? R"(}],"usage":null})" : "}]}").append("\n\n");
}

void completion_chunks::role(std::string& to) const {
  delta(to, R"({"role":"assistant","content":""})", {});
}

void completion_chunks::text(std::string& to, std::string_view more) const {
  delta(to, object_writer{}.text("content", more).done(), {});
}

void completion_chunks::reasoning(std::string& to, std::string_view more) const {
  delta(to, object_writer{}.text("reasoning_content", more).done(), {});
}

void completion_chunks::calls(std::string& to, std::span<const tool_call> all) const {
  delta(to, object_writer{}.json("tool_calls", calls_json(all, true)).done(), {});
}

void completion_chunks::finish(std::string& to, std::string_view reason) const {
  delta(to, "{}", reason);
}

void completion_chunks::used(std::string& to, const usage& what) const {
  to.append(prefix_).append(R"("choices":[],"usage":)");
  to.append(usage_json(what)).append("}\n\n");
}

std::string completion_json(const completion_head& of, const whole_completion& what) {
  auto message = object_writer{what.text.size() + what.reasoning.size() + 64};
  message.text("role", "assistant");
  if (what.text.empty() && !what.calls.empty())
    message.json("content", "null");
  else
    message.text("content", what.text);
  message.json("refusal", "null");
  if (!what.reasoning.empty())
    message.text("reasoning_content", what.reasoning);
  if (!what.calls.empty())
    message.json("tool_calls", calls_json(what.calls, false));
  const auto choice = object_writer{}
                          .number("index", 0)
                          .json("message", message.done())
                          .json("logprobs", "null")
                          .text("finish_reason", what.finish_reason)
                          .done();
  return object_writer{}
      .text("id", of.id)
      .text("object", "chat.completion")
      .number("created", of.created)
      .text("model", of.model)
      .json("choices", "[" + choice + "]")
      .json("usage", usage_json(what.used))
      .done();
}

} // namespace jessica::wire
