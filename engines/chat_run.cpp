#include "engines/chat_run.hpp"

#include "engines/chat_attempt.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

/// A pause that a provider asks for is waited for this often.
constexpr auto most_rounds = 3;
/// A text that broke off is gone on with this often.
constexpr auto most_continuations = std::size_t{3};

void count(const provider& who, const provider_fault& why, std::uint64_t tokens) {
  const auto& rule = rule_of(why.kind);
  const auto& name = who.settings().name;
  ops::counter{"jessica_engines_errors_total",
               "Attempts with a provider that failed, by kind",
               {{"provider", name}, {"kind", std::string{rule.name}}}}
      .add();
  ops::warn("engine.failed", {{"provider", name},
                              {"kind", rule.name},
                              {"detail", why.detail},
                              {"tokens", tokens}});
}

/// A provider that was allowed to be asked must hear how it went: a probe that never
/// reports would keep all others away.
class owed_verdict {
public:
  explicit owed_verdict(provider& to) : to_(&to) {}
  ~owed_verdict() {
    if (to_ != nullptr)
      to_->unused();
  }
  owed_verdict(const owed_verdict&) = delete;
  owed_verdict& operator=(const owed_verdict&) = delete;

  /// Tell it what you have to tell.
  [[nodiscard]] provider& paid() noexcept { return *std::exchange(to_, nullptr); }

private:
  provider* to_;
};

/// Sets a pointer for as long as this lives, by an exception ended or not.
class pointed_at {
public:
  pointed_at(interruption*& where, interruption& what) : where_(where) {
    where_ = &what;
  }
  ~pointed_at() { where_ = nullptr; }
  pointed_at(const pointed_at&) = delete;
  pointed_at& operator=(const pointed_at&) = delete;

private:
  interruption*& where_;
};

} // namespace

std::optional<std::string> named_model(const prompt& asked) {
  return asked.params.model ? asked.params.model : asked.model;
}

std::vector<provider*> route(const provider_list& all, const prompt& asked) {
  const auto wanted = named_model(asked);
  auto found = std::vector<provider*>{};
  // Who is told of no tools could make nothing of their results.
  const auto called = std::ranges::any_of(
      asked.turns, [](const auto& one) { return !one.calls.empty(); });
  for (const auto& one : all)
    if ((!wanted || one->offers(*wanted)) && (!called || one->settings().tools))
      found.push_back(one.get());
  return found;
}

chat_run::chat_run(asio::io_context& loop, const provider_list& all, prompt asked,
                   std::unique_ptr<chat_progress> progress)
    : loop_(loop),
      asked_(std::move(asked)),
      progress_(std::move(progress)),
      routes_(route(all, asked_)) {}

void chat_run::stop() noexcept {
  stopped_ = true;
  if (by_ != nullptr && !progress_->over())
    by_->cut(cut_reason::stopped);
}

bool chat_run::over() const noexcept {
  return stopped_ || progress_->over();
}

void chat_run::broke() {
  if (!progress_->over())
    progress_->failed({"The engine failed.", true});
}

asio::awaitable<void> chat_run::run() {
  if (stopped_) // before it began
    co_return;
  auto by = interruption{loop_};
  const auto reachable = pointed_at{by_, by};
  for (auto round = 1;; ++round) {
    faults_.clear();
    co_await run_round();
    // What broke off begins anew with the next attempt of the job.
    if (over() || !progress_->so_far().empty() || round == most_rounds)
      break;
    const auto again = co_await wait_for_pause();
    if (!again)
      break;
  }
  if (!over())
    give_up();
}

/// Asks one provider after the other until the reply is over or none is left.
asio::awaitable<void> chat_run::run_round() {
  auto left = std::deque<provider*>(routes_.begin(), routes_.end());
  auto continuations = std::size_t{0};
  while (!left.empty()) {
    auto& who = *left.front();
    left.pop_front();
    const auto began = !progress_->so_far().empty();
    if (began && !may_go_on(who))
      continue;
    if (co_await try_provider(who))
      co_return;
    if (progress_->so_far().empty())
      continue;
    // It broke off: who can go on with a text, itself first, is asked to.
    if (faults_.back().kind == fault_kind::too_long ||
        faults_.back().kind == fault_kind::total_timeout ||
        ++continuations > most_continuations)
      co_return;
    if (!began && may_go_on(who))
      left.push_front(&who);
  }
}

bool chat_run::may_go_on(const provider& who) const noexcept {
  return who.prefill() != prefill_style::none;
}

asio::awaitable<bool> chat_run::try_provider(provider& who) {
  if (auto refused = who.refuse(clock::now())) {
    faults_.push_back(std::move(*refused));
    co_return false;
  }
  auto owed = owed_verdict{who};
  auto attempt = chat_attempt{
      loop_,     who, *by_, asked_, named_model(asked_).value_or(who.own_model()),
      *progress_};
  auto failed = co_await attempt.run();
  if (stopped_) {
    if (attempt.heard() || progress_->over())
      owed.paid().succeeded();
    co_return true;
  }
  by_->clear_limit(); // the next attempt sets its own
  by_->forgive_lateness();
  if (!failed) {
    owed.paid().succeeded();
    co_return true;
  }
  owed.paid().failed(*failed, clock::now());
  count(who, *failed, progress_->tokens());
  const auto falls_back = rule_of(failed->kind).falls_back;
  faults_.push_back(std::move(*failed));
  if (!falls_back)
    give_up();
  co_return !falls_back;
}

/// False: nobody asked for a pause that is worth waiting for.
asio::awaitable<bool> chat_run::wait_for_pause() {
  const auto limited = std::ranges::any_of(
      faults_, [](const auto& one) { return one.kind == fault_kind::rate_limited; });
  if (!limited)
    co_return false;
  const auto now = clock::now();
  auto until = clock::time_point::max();
  auto patience = clock::duration{};
  for (const auto* const one : routes_)
    if (one->paused_until() > now && one->paused_until() < until) {
      until = one->paused_until();
      patience = one->settings().queue_timeout;
    }
  if (until == clock::time_point::max() || until - now > patience)
    co_return false;
  while (!stopped_ && clock::now() < until) {
    by_->bell().expires_at(until);
    co_await by_->bell().async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return !stopped_;
}

/// What the most trusted provider that was asked said; tried again when anybody's
/// failure may pass.
void chat_run::give_up() {
  if (faults_.empty())
    faults_.push_back(
        {routes_.empty() ? fault_kind::no_model : fault_kind::left_alone});
  auto told = std::ranges::find_if(faults_, [](const auto& one) {
    return one.kind != fault_kind::left_alone && one.kind != fault_kind::queue_full;
  });
  if (told == faults_.end() || !rule_of(faults_.back().kind).falls_back)
    told = std::prev(faults_.end());
  const auto& rule = rule_of(told->kind);
  const auto retryable = rule_of(faults_.back().kind).falls_back &&
                         std::ranges::any_of(faults_, [](const auto& one) {
                           return rule_of(one.kind).retryable;
                         });
  progress_->failed({told->shown.empty() ? std::string{rule.shown} : told->shown,
                     retryable, cause_of(told->kind)});
}

} // namespace jessica::engines
