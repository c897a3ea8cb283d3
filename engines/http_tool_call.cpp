#include "engines/http_tool_call.hpp"

#include "domain/utf8.hpp"
#include "domain/utf8_check.hpp"
#include "engines/file_digest.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <format>
#include <string_view>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

[[nodiscard]] std::unexpected<error> failed_as(std::string_view why) {
  return fail(errc::unavailable, std::format("the tool failed: {}", why));
}

/// What the engine reads of a call that brought no answer.
[[nodiscard]] std::string_view in_words(fault_kind kind) {
  switch (kind) {
  case fault_kind::name_unknown:
  case fault_kind::unreachable:
  case fault_kind::tls_failed:
    return "its server cannot be reached";
  case fault_kind::connect_timeout:
    return "it took too long";
  default:
    return "its answer was broken";
  }
}

[[nodiscard]] bool is_text(std::string_view type) {
  const auto name = type.substr(0, type.find_first_of("; "));
  return name.empty() || name.starts_with("text/") || name.ends_with("/json") ||
         name.ends_with("+json");
}

/// PostgreSQL stores no NUL, and engines read what is stored.
void drop_nul(std::string& text) {
  std::erase(text, '\0');
}

void count(const std::string& tool, bool failed, std::chrono::duration<double> took) {
  static const auto bounds =
      std::vector<double>{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  ops::counter{"jessica_engines_tool_calls_total",
               "Calls of tools over HTTP, by outcome",
               {{"tool", tool}, {"outcome", failed ? "failed" : "done"}}}
      .add();
  ops::histogram{"jessica_engines_tool_seconds",
                 "Calls of tools over HTTP, connecting included",
                 bounds,
                 {{"tool", tool}}}
      .observe(took.count());
}

} // namespace

result<std::string> tool_body(const tool_question& what) {
  auto broken = boost::system::error_code{};
  const auto& text = what.call.arguments;
  const auto blank = text.find_first_not_of(" \t\r\n") == text.npos;
  auto arguments = blank ? json::value(json::object{}) : json::parse(text, broken);
  if (broken || !arguments.is_object())
    return fail(errc::invalid_input,
                "the tool was not called: its arguments are no JSON object");
  return json::serialize(json::object{{"name", what.call.name},
                                      {"arguments", std::move(arguments)},
                                      {"call_id", what.call.id},
                                      {"user_id", what.user.str()},
                                      {"conversation_id", what.conversation.str()},
                                      {"reply_id", what.reply.str()}});
}

std::string idempotency_key(const tool_question& what) {
  constexpr auto digits = std::size_t{16};
  const auto same = sha256_of(what.call.name + '\n' + what.call.arguments);
  return std::format("{}-{}-{}", what.reply.str(), same.substr(0, digits),
                     what.repeats);
}

http_tool_call::http_tool_call(asio::io_context& loop, http_tool& with,
                               tool_question what, std::string body, tool_sink sink)
    : loop_(loop),
      with_(with),
      what_(std::move(what)),
      body_(std::move(body)),
      began_(clock::now()),
      sink_(std::move(sink)) {}

void http_tool_call::stop() noexcept {
  stopped_ = true;
  if (by_ != nullptr)
    by_->cut(cut_reason::stopped);
}

void http_tool_call::close() {
  const auto held = std::lock_guard{lock_};
  sink_ = nullptr;
}

void http_tool_call::broke() {
  tell(failed_as("an error of ours"));
}

asio::awaitable<void> http_tool_call::run() {
  if (stopped_)
    co_return;
  auto came = co_await ask();
  if (stopped_)
    co_return;
  tell(std::move(came));
}

asio::awaitable<result<std::string>> http_tool_call::ask() {
  struct reached {
    reached(interruption*& where, interruption& what) : at(where) { at = &what; }
    ~reached() { at = nullptr; }
    reached(const reached&) = delete;
    reached& operator=(const reached&) = delete;
    interruption*& at;
  };
  auto by = interruption{loop_};
  const auto reachable = reached{by_, by};
  auto post = exchange{loop_, *with_.server, by};
  post.end_by(began_ + with_.settings.timeout);
  // The path is said without the slash at its end.
  const auto slash =
      with_.settings.url.ends_with('/') || with_.server->url().path.empty();
  const auto asked =
      question{slash ? "/" : "", std::move(body_), "application/json, text/plain",
               std::format("Idempotency-Key: {}\r\n", idempotency_key(what_))};
  auto failed = co_await post.ask(asked, with_.settings.timeout);
  if (by.why())
    co_return failed_as("it took too long");
  if (failed)
    co_return failed_as(in_words(failed->kind));
  const auto status = post.answer().status();
  if (status < 200 || status > 299)
    co_return failed_as(std::to_string(status));
  auto came = co_await read(post);
  if (by.why())
    co_return failed_as("it took too long");
  post.finish();
  co_return came;
}

/// Of what is too long, the beginning is read and no more.
asio::awaitable<result<std::string>> http_tool_call::read(exchange& from) {
  const auto most = with_.settings.max_result_bytes;
  if (!is_text(from.answer().field("Content-Type")))
    co_return failed_as("its answer is no text");
  while (!from.answer().whole() && from.body().size() <= most && !by_->why())
    if (const auto failed = co_await from.read_more())
      co_return failed_as(in_words(failed->kind));
  auto& text = from.body();
  const auto too_long = text.size() > most;
  if (too_long)
    text.resize(cut_utf8(text, most).size());
  if (auto check = utf8_check{}; !check.take(text) || !check.whole())
    co_return failed_as("its answer is no UTF-8");
  drop_nul(text);
  if (too_long)
    text += std::format("\n[cut after {} bytes]", most);
  co_return std::move(text);
}

void http_tool_call::tell(result<std::string> came) {
  const auto took = clock::now() - began_;
  count(with_.settings.name, !came, took);
  if (!came)
    ops::warn("tool.failed", {{"tool", with_.settings.name},
                              {"reply", what_.reply.str()},
                              {"cause", came.error().what}});
  const auto held = std::lock_guard{lock_};
  if (const auto to = std::exchange(sink_, nullptr))
    to({std::move(what_.call), came ? std::move(*came) : std::move(came.error().what),
        !came, std::chrono::duration_cast<std::chrono::milliseconds>(took)});
}

} // namespace jessica::engines
