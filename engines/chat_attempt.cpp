#include "engines/chat_attempt.hpp"

#include "engines/chat_chunk.hpp"
#include "engines/chat_request.hpp"
#include "engines/context_window.hpp"
#include "engines/retry_after.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::engines {

namespace asio = boost::asio;

namespace {

/// One event of a stream; a server that does not stream sends all in one piece, and
/// escapes may make it six times as long.
constexpr auto max_event_bytes = std::size_t{2'097'152};
constexpr auto max_refusal_bytes = std::size_t{16'384};
constexpr auto max_list_bytes = std::size_t{1'048'576};
/// For what follows the text: usage, the last word, the end of the body.
constexpr auto rest_limit = std::chrono::seconds{2};

/// A gauge that is one higher as long as this lives.
class counted {
public:
  explicit counted(ops::gauge& in) : in_(in) { in_.add(1); }
  ~counted() { in_.add(-1); }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

private:
  ops::gauge& in_;
};

/// The one server that knows the new name alone.
[[nodiscard]] bool wants_completion_limit(const provider_url& url) {
  return url.host == "api.openai.com";
}

/// What the window keeps free: no more than half, or nothing would be left to answer.
[[nodiscard]] std::size_t reply_tokens(const prompt& asked,
                                       const config::provider_settings& settings) {
  const auto wished = asked.params.max_tokens
                          ? static_cast<std::size_t>(*asked.params.max_tokens)
                          : settings.reply_tokens;
  return std::min(wished, settings.context_tokens / 2);
}

/// The first that writes: servers list models that only embed, too.
[[nodiscard]] std::string first_writer(const std::vector<std::string>& models) {
  const auto found = std::ranges::find_if(
      models, [](const auto& one) { return !one.contains("embed"); });
  return found == models.end() ? std::string{} : *found;
}

} // namespace

chat_attempt::chat_attempt(asio::io_context& loop, provider& with, interruption& by,
                           const prompt& asked, std::string model,
                           chat_progress& progress)
    : loop_(loop),
      with_(with),
      by_(by),
      asked_(asked),
      model_(std::move(model)),
      progress_(progress),
      continued_(!progress.so_far().empty()) {}

asio::awaitable<chat_attempt::outcome> chat_attempt::run() {
  auto failed = co_await wait_for_place();
  if (!failed && !by_.why() && model_.empty())
    failed = co_await find_model();
  if (!failed && !by_.why()) {
    const auto open = counted{with_.meters().open};
    failed = co_await stream();
  }
  place_ = {};
  co_return failed;
}

asio::awaitable<chat_attempt::outcome> chat_attempt::wait_for_place() {
  const auto waits = counted{with_.meters().waiting};
  by_.set_limit(clock::now() + with_.settings().queue_timeout);
  place_ = co_await with_.places().take(by_);
  by_.clear_limit();
  total_by_ = clock::now() + with_.settings().total_timeout;
  if (!place_ || by_.why())
    co_return provider_fault{fault_kind::queue_full};
  co_return std::nullopt;
}

asio::awaitable<chat_attempt::outcome> chat_attempt::find_model() {
  model_ = with_.found_model();
  if (!model_.empty())
    co_return std::nullopt;
  auto list = exchange{loop_, with_.server(), by_};
  auto failed = co_await list.ask({"/models", {}}, with_.settings().connect_timeout);
  if (!failed && !by_.why() && list.answer().status() != 200)
    co_return co_await read_refusal(list);
  if (!failed && !by_.why())
    failed = co_await list.read_all(max_list_bytes);
  if (by_.why())
    co_return failed && failed->kind == fault_kind::connect_timeout
        ? failed
        : provider_fault{fault_kind::first_token_late, "no list of models"};
  if (failed)
    co_return failed;
  by_.clear_limit();
  const auto models = read_models(list.body());
  model_ = models ? first_writer(*models) : std::string{};
  list.finish();
  if (model_.empty())
    co_return provider_fault{fault_kind::not_found, "it lists no model"};
  with_.remember_model(model_);
  co_return std::nullopt;
}

bool chat_attempt::tells_tools() const {
  return !asked_.tools.empty() && refused_tools_ == tool_refusal::none &&
         with_.takes_tools(model_, asked_at_);
}

asio::awaitable<chat_attempt::outcome> chat_attempt::stream() {
  auto failed = co_await ask();
  if (refused_tools_ == tool_refusal::none || by_.why())
    co_return failed;
  with_.refused_tools(model_, refused_tools_, failed ? failed->detail : "",
                      clock::now());
  co_return co_await ask();
}

asio::awaitable<chat_attempt::outcome> chat_attempt::ask() {
  const auto& settings = with_.settings();
  asked_at_ = clock::now();
  family_ = family_of(model_);
  first_turn_ = first_turn_within(
      asked_, {settings.context_tokens, reply_tokens(asked_, settings), family_});
  const auto body = chat_body(
      asked_, {.model = model_,
               .first_turn = first_turn_,
               .so_far = progress_.so_far(),
               .prefill = with_.prefill(),
               .completion_limit = wants_completion_limit(with_.server().url()),
               .tools = tells_tools()});
  auto chat = exchange{loop_, with_.server(), by_};
  with_.meters().requests.add();
  auto failed =
      co_await chat.ask({"/chat/completions", body},
                        std::min<std::chrono::milliseconds>(
                            settings.first_token_timeout, settings.total_timeout));
  if (by_.why())
    co_return failed && failed->kind == fault_kind::connect_timeout ? *failed
                                                                    : lateness();
  if (failed)
    co_return failed;
  if (chat.answer().status() != 200)
    co_return co_await read_refusal(chat);
  co_return co_await read_stream(chat);
}

asio::awaitable<chat_attempt::outcome> chat_attempt::read_stream(exchange& with) {
  auto said = chat_stream{max_event_bytes, with_.settings().key};
  auto failed = outcome{};
  while (!failed) {
    said.feed(with.body());
    with.body().clear();
    failed = tell(said);
    if (failed || said.ended())
      break;
    if (with.answer().whole())
      failed = provider_fault{fault_kind::cut, "the stream ended without an end"};
    else
      failed = co_await with.read_more();
    if (by_.why() == cut_reason::stopped)
      co_return failed;
    if (!failed)
      continue;
    // The body is over, orderly or not: what came of it may be a whole answer.
    if (by_.why())
      failed = lateness();
    said.end();
    if (auto also = tell(said); also && also->kind != fault_kind::cut)
      failed = std::move(also);
  }
  // What goes wrong behind a text that is whole does not matter any more.
  const auto whole = said.ended() || said.is_text_whole();
  if (failed && (!whole || failed->kind == fault_kind::too_long))
    co_return failed;
  tell_end(said);
  place_ = {};
  co_await read_rest(with);
  co_return std::nullopt;
}

/// What is new goes out at once, and moves the limit until the text is whole: what is
/// sent behind it, comments included, gets no more time.
chat_attempt::outcome chat_attempt::tell(chat_stream& from) {
  auto [text, tokens, reasoning, calls] = from.take();
  if (tokens > 0 || !reasoning.empty() || calls) {
    const auto now = clock::now();
    if (!std::exchange(heard_, true)) {
      with_.meters().first_token.observe(
          std::chrono::duration<double>(now - asked_at_).count());
      with_.answered();
      progress_.answers(model_);
    }
    by_.set_limit(
        rest_by_.value_or(std::min(now + with_.settings().token_timeout, total_by_)));
    with_.meters().tokens.add(tokens);
  }
  if (!reasoning.empty())
    progress_.reasoning(std::move(reasoning));
  if (tokens > 0 && !progress_.text(std::move(text), tokens))
    return provider_fault{fault_kind::too_long};
  if (from.is_text_whole() && !rest_by_) {
    rest_by_ = std::min(clock::now() + rest_limit, total_by_);
    by_.set_limit(*rest_by_);
  }
  return from.fault();
}

void chat_attempt::tell_end(const chat_stream& from) {
  const auto told = static_cast<std::int64_t>(progress_.tokens());
  auto used = from.used().value_or(
      usage{static_cast<std::int64_t>(estimated_tokens(asked_, first_turn_, family_)),
            told, true});
  if (continued_) // its provider counted only its own part
    used = {used.prompt_tokens, told, true};
  // Who was told of no tools cannot have any called.
  if (auto calls = tells_tools() ? from.calls() : std::vector<tool_call>{};
      !calls.empty())
    return progress_.called({std::move(calls), used});
  progress_.ended({from.finish_reason().empty() ? "stop" : from.finish_reason(), used});
}

/// The connection is worth another question only when this answer is read to its end.
asio::awaitable<void> chat_attempt::read_rest(exchange& with) {
  if (by_.why())
    co_return;
  by_.set_limit(clock::now() + rest_limit);
  if (!co_await with.read_all(max_refusal_bytes))
    with.finish();
  by_.clear_limit();
}

asio::awaitable<chat_attempt::outcome> chat_attempt::read_refusal(exchange& with) {
  const auto status = with.answer().status();
  auto failed =
      provider_fault{fault_of_status(status).value_or(fault_kind::unexpected_answer)};
  failed.retry_after = read_retry_after(with.answer().field("Retry-After"),
                                        std::chrono::system_clock::now());
  if (failed.kind != fault_kind::rate_limited &&
      failed.kind != fault_kind::server_error)
    failed.retry_after.reset();
  if (failed.kind == fault_kind::not_found)
    with_.remember_model({}); // it may have been removed
  by_.set_limit(clock::now() + rest_limit);
  const auto unread = co_await with.read_all(max_refusal_bytes);
  by_.clear_limit();
  const auto words =
      quoted_words(read_complaint(with.body()).message, with_.settings().key);
  failed.detail =
      "HTTP " + std::to_string(status) + (words.empty() ? "" : ": ") + words;
  if (tells_tools())
    refused_tools_ = read_tool_refusal(status, words);
  if (failed.kind == fault_kind::bad_request && !words.empty())
    failed.shown = std::string{rule_of(failed.kind).shown} + " " + words;
  if (!unread)
    with.finish();
  by_.forgive_lateness();
  co_return failed;
}

provider_fault chat_attempt::lateness() const {
  if (clock::now() >= total_by_)
    return {fault_kind::total_timeout};
  return {heard_ ? fault_kind::stalled : fault_kind::first_token_late};
}

} // namespace jessica::engines
