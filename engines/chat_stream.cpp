#include "engines/chat_stream.hpp"

#include "engines/chat_chunk.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto last_word = std::string_view{"[DONE]"};

[[nodiscard]] fault_kind kind_of(const std::string& type) {
  constexpr auto refused = std::array<std::string_view, 4>{
      "invalid_request_error", "context_length_exceeded", "BadRequestError", "400"};
  constexpr auto limited = std::array<std::string_view, 4>{
      "rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "429"};
  if (std::ranges::contains(refused, type))
    return fault_kind::bad_request;
  return std::ranges::contains(limited, type) ? fault_kind::rate_limited
                                              : fault_kind::reported;
}

} // namespace

chat_stream::chat_stream(std::size_t max_event_bytes, std::string_view secret)
    : limit_(max_event_bytes), secret_(secret), events_(max_event_bytes) {}

void chat_stream::fail_as(fault_kind kind, std::string detail) {
  if (!fault_ && !ended_)
    fault_ = provider_fault{kind, std::move(detail)};
}

void chat_stream::complain(const std::string& message, const std::string& type) {
  const auto kind = kind_of(type);
  const auto words = quoted_words(message, secret_);
  fail_as(kind, words);
  if (fault_ && kind == fault_kind::bad_request && !words.empty())
    fault_->shown = std::string{rule_of(kind).shown} + " " + words;
}

void chat_stream::feed(std::string_view body) {
  if (ended_ || fault_)
    return;
  if (form_ == form::unknown) {
    const auto first = body.find_first_not_of(" \t\r\n");
    if (first == body.npos)
      return; // blanks say nothing yet, in both forms
    if (body[first] == '<')
      return fail_as(fault_kind::unexpected_answer, "a page instead of an answer");
    form_ = body[first] == '{' ? form::whole : form::events;
  }
  take_body(body);
}

void chat_stream::take_body(std::string_view body) {
  if (form_ == form::events) {
    if (!events_.feed(body, [this](std::string_view data) { take_data(data); }))
      fail_as(fault_kind::too_long, "an endless line");
    return;
  }
  if (whole_.size() + body.size() > limit_)
    return fail_as(fault_kind::too_long, "an endless answer");
  whole_ += body;
}

void chat_stream::take_data(std::string_view data) {
  if (ended_ || fault_ || data.empty())
    return;
  if (data == last_word) {
    if (!began_)
      return fail_as(fault_kind::unexpected_answer, "an end without an answer");
    return check_end();
  }
  auto chunk = read_chunk(data);
  if (!chunk)
    return fail_as(fault_kind::malformed, chunk.error().what);
  if (chunk->failed)
    return complain(chunk->failed->message, chunk->failed->type);
  began_ = true;
  gained_.reasoning += chunk->reasoning;
  if (!chunk->text.empty()) {
    gained_.text += chunk->text;
    ++gained_.tokens;
  }
  take_calls(chunk->calls);
  if (!chunk->finish_reason.empty())
    finish_reason_ = std::move(chunk->finish_reason);
  if (chunk->used)
    used_ = chunk->used;
}

void chat_stream::take_calls(std::vector<call_piece>& pieces) {
  for (auto& one : pieces) {
    gained_.calls = true;
    if (auto failed = calls_.add(std::move(one)))
      return fail_as(failed->kind, std::move(failed->detail));
  }
}

std::string_view chat_stream::wrong_with_calls() const noexcept {
  if (calls_.has_nameless())
    return "a call of a tool without a name";
  if (calls_.empty() && finish_reason_ == "tool_calls")
    return "calls of tools were said, and none told";
  return {};
}

void chat_stream::check_end() {
  if (const auto wrong = wrong_with_calls(); !wrong.empty())
    fail_as(fault_kind::malformed, std::string{wrong});
  ended_ = !fault_;
}

std::vector<tool_call> chat_stream::calls() const {
  const auto cut = finish_reason_ == "length" || finish_reason_ == "content_filter";
  return cut ? std::vector<tool_call>{} : calls_.finish();
}

void chat_stream::take_whole() {
  auto answer = read_chunk(whole_);
  if (!answer)
    return fail_as(fault_kind::cut, "an answer that is no JSON");
  if (answer->failed)
    return complain(answer->failed->message, answer->failed->type);
  if (answer->text.empty() && answer->finish_reason.empty() && answer->calls.empty())
    return fail_as(fault_kind::unexpected_answer, "JSON without an answer");
  gained_.tokens = answer->text.empty() ? 0 : 1;
  gained_.text = std::move(answer->text);
  gained_.reasoning = std::move(answer->reasoning);
  finish_reason_ = std::move(answer->finish_reason);
  used_ = answer->used;
  take_calls(answer->calls);
  check_end();
}

void chat_stream::end() {
  if (ended_ || fault_)
    return;
  if (form_ == form::whole)
    return take_whole();
  if (form_ == form::events)
    events_.end([this](std::string_view data) { take_data(data); });
  // Some servers leave out the last word; none leaves out the reason.
  if (!finish_reason_.empty())
    check_end();
  else if (!ended_)
    fail_as(fault_kind::cut, "the stream ended without an end");
}

chat_stream::gain chat_stream::take() noexcept {
  return std::exchange(gained_, {});
}

} // namespace jessica::engines
