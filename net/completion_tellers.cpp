#include "net/completion_tellers.hpp"

#include <utility>
#include <variant>

namespace jessica::net {

namespace {

using namespace engines;

/// Engines that end without a word have come to their end.
[[nodiscard]] std::string reason_of(const text_ended& how) {
  return how.finish_reason.empty() ? "stop" : how.finish_reason;
}

[[nodiscard]] bool is_last(const engine_event& event) {
  return std::holds_alternative<text_ended>(event) ||
         std::holds_alternative<tools_called>(event) ||
         std::holds_alternative<text_failed>(event);
}

} // namespace

wire::openai_refusal refusal_of(const text_failed& why) {
  switch (why.cause) {
  case failed_by::absence:
    return {503, "upstream_unreachable", why.what};
  case failed_by::delay:
    return {504, "upstream_timeout", why.what};
  case failed_by::load:
    return {429, "upstream_busy", why.what};
  case failed_by::request:
    return {400, "upstream_refused", why.what};
  case failed_by::name:
    return {404, "model_not_found", why.what, "model"};
  case failed_by::answer:
    break;
  }
  return {502, "upstream_failed", why.what};
}

stream_teller::stream_teller(wire::completion_head of, bool with_usage,
                             std::shared_ptr<body_writer> to,
                             std::shared_ptr<bell_rope> begun)
    : chunks_(std::move(of), with_usage),
      with_usage_(with_usage),
      to_(std::move(to)),
      begun_rope_(std::move(begun)) {}

bool stream_teller::has_begun() const {
  const auto held = std::lock_guard{lock_};
  return begun_;
}

std::optional<wire::openai_refusal> stream_teller::failure() const {
  const auto held = std::lock_guard{lock_};
  return failure_;
}

void stream_teller::end(std::string& to, std::string_view reason, const usage& used) {
  chunks_.finish(to, reason);
  if (with_usage_)
    chunks_.used(to, used);
  to += wire::completion_done;
}

void stream_teller::write(const engine_event& event, std::string& to) {
  if (!begun_)
    chunks_.role(to);
  if (const auto* made = std::get_if<text_made>(&event))
    return chunks_.text(to, made->text);
  if (const auto* thought = std::get_if<reasoning_made>(&event))
    return chunks_.reasoning(to, thought->text);
  if (const auto* called = std::get_if<tools_called>(&event)) {
    chunks_.calls(to, called->calls);
    return end(to, "tool_calls", called->used);
  }
  const auto& ended = std::get<text_ended>(event);
  end(to, reason_of(ended), ended.used);
}

/// Never [DONE] after this: who waits for it knows that the answer is not whole.
void stream_teller::break_off(const wire::openai_refusal& why) {
  over_ = true;
  if (!begun_) {
    failure_ = why;
    return;
  }
  auto last = std::string{};
  wire::append_event(last, wire::openai_error_json(why));
  to_->write(last);
  to_->end();
}

void stream_teller::take(engine_event event) {
  const auto held = std::lock_guard{lock_};
  if (over_)
    return;
  if (auto* other = std::get_if<model_changed>(&event))
    return chunks_.answered_by(std::move(other->model));
  const auto first = !begun_;
  if (const auto* failed = std::get_if<text_failed>(&event)) {
    break_off(refusal_of(*failed));
  } else {
    auto text = std::string{};
    write(event, text);
    over_ = is_last(event);
    to_->write(text);
    if (over_)
      to_->end();
  }
  begun_ = true;
  if (first)
    begun_rope_->pull();
}

void stream_teller::fail(const wire::openai_refusal& why) {
  const auto held = std::lock_guard{lock_};
  if (!over_)
    break_off(why);
}

void whole_teller::add(engine_event& event) {
  if (auto* made = std::get_if<text_made>(&event)) {
    answer_.text += made->text;
  } else if (auto* thought = std::get_if<reasoning_made>(&event)) {
    answer_.reasoning += thought->text;
  } else if (auto* other = std::get_if<model_changed>(&event)) {
    model_ = std::move(other->model);
  } else if (auto* failed = std::get_if<text_failed>(&event)) {
    failure_ = refusal_of(*failed);
  } else if (auto* called = std::get_if<tools_called>(&event)) {
    answer_.calls = std::move(called->calls);
    answer_.finish_reason = "tool_calls";
    answer_.used = called->used;
  } else if (auto* ended = std::get_if<text_ended>(&event)) {
    answer_.finish_reason = reason_of(*ended);
    answer_.used = ended->used;
  }
}

void whole_teller::take(engine_event event) {
  const auto held = std::lock_guard{lock_};
  if (over_)
    return;
  over_ = is_last(event);
  add(event);
  if (over_)
    over_rope_->pull();
}

bool whole_teller::is_over() const {
  const auto held = std::lock_guard{lock_};
  return over_;
}

} // namespace jessica::net
