#include "engines/builtin.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace jessica::engines {
namespace {

using clock = std::chrono::steady_clock;

/// Words due within one tick go out together: small against the pace of reading, and
/// one wake-up serves all generations.
constexpr auto tick = std::chrono::milliseconds{10};

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Where the token at the start of `text` ends: a word and the blanks after it.
std::size_t token_size(std::string_view text) {
  const auto word = std::ranges::find_if(text, is_blank);
  const auto next = std::ranges::find_if_not(word, text.end(), is_blank);
  return static_cast<std::size_t>(next - text.begin());
}

std::int64_t count_words(std::string_view text) {
  auto words = std::int64_t{0};
  auto inside = false;
  for (const auto c : text) {
    words += !inside && !is_blank(c) ? 1 : 0;
    inside = !is_blank(c);
  }
  return words;
}

usage count_usage(const prompt& asked, std::string_view answer) {
  auto used = usage{0, count_words(answer), true};
  if (asked.system)
    used.prompt_tokens += count_words(*asked.system);
  for (const auto& one : asked.turns)
    used.prompt_tokens += count_words(one.content);
  return used;
}

/// One answer on its way. Its lock is held while the sink is called: who cancels waits
/// for a call that is under way, and none comes afterwards.
class running {
public:
  running(std::string text, usage used, event_sink sink, std::size_t per_second)
      : text_(std::move(text)),
        used_(used),
        sink_(std::move(sink)),
        per_second_(per_second),
        begun_(clock::now()) {}

  /// Sends what is due. False when nothing will come any more.
  bool advance(clock::time_point now) {
    const auto held = std::lock_guard{lock_};
    if (cancelled_)
      return false;
    send_due(due_by(now));
    if (at_ < text_.size())
      return true;
    sink_(text_ended{"stop", used_});
    return false;
  }

  void cancel() {
    const auto held = std::lock_guard{lock_};
    cancelled_ = true;
  }

private:
  /// Tokens that must have gone out: the first at once, then at the pace.
  [[nodiscard]] std::uint64_t due_by(clock::time_point now) const {
    if (per_second_ == 0)
      return UINT64_MAX;
    const auto passed = std::chrono::duration<double>(now - begun_).count();
    return 1 + static_cast<std::uint64_t>(passed * static_cast<double>(per_second_));
  }

  void send_due(std::uint64_t due) {
    const auto from = at_;
    auto tokens = std::uint32_t{0};
    for (; sent_ < due && at_ < text_.size(); ++sent_, ++tokens)
      at_ += token_size(std::string_view{text_}.substr(at_));
    if (tokens > 0)
      sink_(text_made{text_.substr(from, at_ - from), tokens});
  }

  std::mutex lock_;
  bool cancelled_ = false;
  std::string text_;
  usage used_;
  event_sink sink_;
  std::size_t per_second_;
  clock::time_point begun_;
  std::size_t at_ = 0;     ///< bytes sent
  std::uint64_t sent_ = 0; ///< tokens sent
};

class builtin_generation final : public generation {
public:
  explicit builtin_generation(std::shared_ptr<running> what) : what_(std::move(what)) {}
  ~builtin_generation() override { what_->cancel(); }

private:
  std::shared_ptr<running> what_;
};

/// The timer thread: advances every running answer once a tick, sleeps when there is
/// none.
class pacer {
public:
  void add(std::shared_ptr<running> what) {
    {
      const auto held = std::lock_guard{lock_};
      arrived_.push_back(std::move(what));
    }
    woken_.notify_one();
  }

private:
  void run(const std::stop_token& stop) {
    auto all = std::vector<std::shared_ptr<running>>{};
    auto next = clock::now();
    while (!stop.stop_requested()) {
      take_arrivals(all, stop, next);
      const auto now = clock::now();
      std::erase_if(all, [&](const auto& one) { return !one->advance(now); });
      next = now + tick;
    }
  }

  /// Waits for the next tick, or without any answer for the first one.
  void take_arrivals(std::vector<std::shared_ptr<running>>& all,
                     const std::stop_token& stop, clock::time_point next) {
    auto held = std::unique_lock{lock_};
    if (all.empty())
      woken_.wait(held, stop, [&] { return !arrived_.empty(); });
    else
      woken_.wait_until(held, stop, next, [] { return false; });
    std::ranges::move(arrived_, std::back_inserter(all));
    arrived_.clear();
  }

  std::mutex lock_;
  std::condition_variable_any woken_;
  std::vector<std::shared_ptr<running>> arrived_;
  /// Last, so that it ends before what it uses.
  std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

class builtin final : public text_generator {
public:
  explicit builtin(std::size_t tokens_per_second) : per_second_(tokens_per_second) {}

  [[nodiscard]] std::string_view model() const noexcept override {
    return "jessica-builtin";
  }
  [[nodiscard]] bool follows_instructions() const noexcept override { return false; }

  [[nodiscard]] std::unique_ptr<generation> start(prompt asked,
                                                  event_sink sink) override {
    auto answer = compose_answer(asked);
    const auto used = count_usage(asked, answer);
    auto fresh = std::make_shared<running>(std::move(answer), used, std::move(sink),
                                           per_second_);
    // The first word does not wait for the timer.
    if (fresh->advance(clock::now()))
      pacer_.add(fresh);
    return std::make_unique<builtin_generation>(std::move(fresh));
  }

private:
  std::size_t per_second_;
  pacer pacer_;
};

} // namespace

std::unique_ptr<text_generator> make_builtin(std::size_t tokens_per_second) {
  return std::make_unique<builtin>(tokens_per_second);
}

} // namespace jessica::engines
