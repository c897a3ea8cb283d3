#include "bench/load/histogram.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/token_provider.hpp"
#include "config/settings.hpp"
#include "engines/openai.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto round_limit = std::chrono::seconds{120};
constexpr auto default_pace = std::size_t{40};
constexpr auto tokens_of_answer = std::size_t{200};
constexpr auto tokens_of_held = std::size_t{10};

[[nodiscard]] std::int64_t now_ns() {
  return std::chrono::nanoseconds{clock::now().time_since_epoch()}.count();
}

[[nodiscard]] std::chrono::nanoseconds own_cpu() {
  auto spent = rusage{};
  getrusage(RUSAGE_SELF, &spent);
  return std::chrono::seconds{spent.ru_utime.tv_sec + spent.ru_stime.tv_sec} +
         std::chrono::microseconds{spent.ru_utime.tv_usec + spent.ru_stime.tv_usec};
}

[[nodiscard]] std::uint64_t own_memory() {
  auto pages = std::uint64_t{0};
  std::ifstream{"/proc/self/statm"} >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// What all streams of a round tell, on the engine's thread.
struct round_book {
  std::mutex lock;
  std::condition_variable changed;
  histogram added; ///< to the first token, beside the provider's own time
  std::uint64_t tokens = 0;
  std::size_t begun = 0;
  std::size_t ended = 0;
  std::size_t failed = 0;

  void first(std::string_view text, std::int64_t started) {
    const auto heard = now_ns();
    auto asked = std::int64_t{0};
    auto said = std::int64_t{0};
    const auto blank = text.find(' ');
    std::from_chars(text.data(), text.data() + blank, asked);
    std::from_chars(text.data() + blank + 1, text.data() + text.size(), said);
    added.record(std::chrono::nanoseconds{heard - started - (said - asked)});
    if (++begun % 100 == 0)
      changed.notify_all();
  }

  void take(const engines::engine_event& event, std::int64_t started, bool& heard) {
    const auto held = std::lock_guard{lock};
    if (const auto* const made = std::get_if<engines::text_made>(&event)) {
      tokens += made->tokens;
      if (!std::exchange(heard, true))
        first(made->text, started);
      return;
    }
    if (std::holds_alternative<engines::text_ended>(event))
      ++ended;
    else if (std::holds_alternative<engines::text_failed>(event))
      ++failed;
    changed.notify_all();
  }
};

struct round_plan {
  std::size_t streams;
  std::size_t tokens; ///< of each
  std::size_t per_second;
  std::string name;
  bool warm = false; ///< connections are open before
};

/// Begins all streams within a second, evenly.
void begin_streams(engines::text_generator& engine, std::size_t streams,
                   const prompt& asked, round_book& book,
                   std::vector<std::unique_ptr<engines::generation>>& running) {
  const auto begun = clock::now();
  for (auto i = std::size_t{0}; i < streams; ++i) {
    std::this_thread::sleep_until(
        begun + i * std::chrono::nanoseconds{std::chrono::seconds{1}} / streams);
    running.push_back(
        engine.start(asked, [&book, started = now_ns(), heard = false](
                                const engines::engine_event& event) mutable {
          book.take(event, started, heard);
        }));
  }
}

/// Every stream has a connection from then on.
void warm_up(engines::text_generator& engine, std::size_t streams,
             const prompt& asked) {
  auto book = round_book{};
  auto running = std::vector<std::unique_ptr<engines::generation>>{};
  begin_streams(engine, streams, asked, book, running);
  auto held = std::unique_lock{book.lock};
  book.changed.wait_for(held, round_limit,
                        [&] { return book.ended + book.failed >= streams; });
  held.unlock();
  running.clear();
}

/// All streams begin within a second, evenly. Those of the first kind find connections
/// that are open, as replies of a server that has run for a while do.
[[nodiscard]] result<void>
measure_streams(const round_plan& plan, const token_provider& provider, round& into) {
  auto settings = config::provider_settings{};
  settings.url = provider.url();
  settings.model = "bench";
  settings.max_concurrency = plan.streams;
  settings.keep_alive_connections = plan.streams;
  const auto engine = engines::make_openai({settings});
  if (!engine)
    return std::unexpected{engine.error()};
  auto asked = prompt{};
  asked.turns = {{"user", "My dog is called Rex. What did I tell you?"}};
  auto book = round_book{};
  auto running = std::vector<std::unique_ptr<engines::generation>>{};
  const auto memory = own_memory();
  if (plan.warm)
    warm_up(**engine, plan.streams, asked);
  const auto cpu = own_cpu();
  begin_streams(**engine, plan.streams, asked, book, running);
  auto most_memory = std::uint64_t{0};
  {
    auto held = std::unique_lock{book.lock};
    book.changed.wait_for(held, round_limit,
                          [&] { return book.begun + book.failed >= plan.streams; });
    most_memory = own_memory();
    book.changed.wait_for(held, round_limit,
                          [&] { return book.ended + book.failed >= plan.streams; });
  }
  const auto spent = std::chrono::duration<double, std::nano>(own_cpu() - cpu);
  running.clear();
  add_percentiles(into, plan.name + " added to first token", book.added, {50, 99});
  into.push_back(
      {plan.name + " CPU a token", "ns",
       spent.count() / static_cast<double>(std::max<std::uint64_t>(book.tokens, 1))});
  into.push_back({plan.name + " memory a stream", "bytes",
                  static_cast<double>(most_memory - std::min(memory, most_memory)) /
                      static_cast<double>(plan.streams)});
  into.push_back({plan.name + " not whole", "streams",
                  static_cast<double>(plan.streams - book.ended), true});
  into.push_back({plan.name + " tokens missing", "tokens",
                  static_cast<double>(plan.streams * plan.tokens) -
                      static_cast<double>(book.tokens),
                  true});
  return {};
}

} // namespace

result<findings> run_engine(const settings& how) {
  const auto pace = how.tokens_per_second > 0 ? how.tokens_per_second : default_pace;
  const auto plans =
      std::vector<round_plan>{{how.sessions, tokens_of_answer, pace, "streams", true},
                              {how.connections, tokens_of_held, 1, "held"}};
  // Both before the engine's thread: they are forked.
  auto quick = token_provider::start(plans[0].tokens, plans[0].per_second);
  auto slow = token_provider::start(plans[1].tokens, plans[1].per_second);
  if (!quick || !slow)
    return std::unexpected{quick ? slow.error() : quick.error()};
  auto found = findings{"engine",
                        {{"streams", std::to_string(how.sessions)},
                         {"tokens a second each", std::to_string(pace)},
                         {"streams held", std::to_string(how.connections)}},
                        {}};
  for (auto n = std::size_t{0}; n < how.rounds; ++n) {
    auto measures = round{};
    for (const auto* const plan : {&plans[0], &plans[1]})
      if (auto done =
              measure_streams(*plan, plan == &plans[0] ? *quick : *slow, measures);
          !done)
        return std::unexpected{std::move(done.error())};
    found.rounds.push_back(std::move(measures));
  }
  return found;
}

} // namespace jessica::bench
