#include "bench/load/conversations.hpp"
#include "bench/load/paced_streams.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/sign_ins.hpp"

#include <chrono>
#include <cstdint>
#include <future>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// Where none is asked for: without a pace nothing can be late.
constexpr auto usual_pace = std::size_t{40};

struct part {
  stream_score streams;
  sign_in_score sign_ins; ///< empty in a quiet part
  double cores = 0;       ///< of the server's processor time
};

struct stage {
  const running_server& server;
  const std::vector<std::string>& sign_in_requests;
  paced_streams& streams;
};

/// Streams alone.
[[nodiscard]] result<part> quiet(const stage& on, clock::duration length) {
  const auto cpu = on.server.child.cpu_time();
  const auto begun = clock::now();
  auto streams = on.streams.run(length);
  if (!streams)
    return std::unexpected{std::move(streams.error())};
  const auto used = std::chrono::duration<double>{on.server.child.cpu_time() - cpu};
  const auto took = std::chrono::duration<double>{clock::now() - begun};
  return part{std::move(*streams), {}, used / took};
}

/// The same while the crowd signs in, on a thread of its own: what it reads must not
/// hold up the clock of the streams.
[[nodiscard]] result<part> crowded(const stage& on, clock::duration length) {
  auto crowd = sign_in_crowd{on.sign_in_requests};
  if (auto opened = crowd.open(on.server); !opened)
    return std::unexpected{std::move(opened.error())};
  auto signing = std::async(std::launch::async, [&] { return crowd.run(length); });
  auto both = quiet(on, length);
  auto sign_ins = signing.get();
  if (both && sign_ins)
    both->sign_ins = std::move(*sign_ins);
  else if (both)
    return std::unexpected{std::move(sign_ins.error())};
  return both;
}

[[nodiscard]] double p99_ms(const histogram& of) {
  return std::chrono::duration<double, std::milli>{of.percentile(0.99)}.count();
}

void add_streams(round& to, const std::string& name, const part& what) {
  add_percentiles(to, name + ": token late by", what.streams.late, {50, 95, 99});
  add_percentiles(to, name + ": send to durable answer", what.streams.durable, {99});
  add_percentiles(to, name + ": send to first token", what.streams.first_token, {99});
  to.push_back({name + ": server's cores", "", what.cores});
}

void add_sign_ins(round& to, const sign_in_score& what) {
  const auto seconds = std::chrono::duration<double>{what.took}.count();
  to.push_back({"sign-ins", "1/s", static_cast<double>(what.waited.count()) / seconds});
  add_percentiles(to, "sign-in", what.waited, {50, 99});
  to.push_back({"sign-ins answered 429", "1/s",
                static_cast<double>(what.refused_after.count()) / seconds});
  to.push_back({"sign-ins answered wrong", "", static_cast<double>(what.wrong), true});
}

void add_comparison(round& to, const part& before, const part& with,
                    const part& after) {
  const auto calm = (p99_ms(before.streams.late) + p99_ms(after.streams.late)) / 2;
  const auto first =
      (p99_ms(before.streams.first_token) + p99_ms(after.streams.first_token)) / 2;
  to.push_back({"token p99, with / without", "", p99_ms(with.streams.late) / calm});
  to.push_back({"token p99, with - without", "ms", p99_ms(with.streams.late) - calm});
  to.push_back({"token p99, after / before", "",
                p99_ms(after.streams.late) / p99_ms(before.streams.late)});
  to.push_back({"first token p99, with / without", "",
                p99_ms(with.streams.first_token) / first});
}

void add_faults(round& to, std::initializer_list<const part*> parts) {
  auto faults = std::uint64_t{0};
  auto refused = std::uint64_t{0};
  for (const auto* one : parts) {
    const auto& tally = one->streams.tally;
    faults += tally.gaps + tally.duplicates + tally.failed;
    refused += one->streams.refused;
  }
  to.push_back({"tokens missing or twice, replies failed", "",
                static_cast<double>(faults), true});
  to.push_back({"messages refused", "", static_cast<double>(refused), true});
}

[[nodiscard]] result<round> run_round(const stage& on, clock::duration length) {
  const auto before = quiet(on, length);
  if (!before)
    return std::unexpected{before.error()};
  const auto with = crowded(on, length);
  if (!with)
    return std::unexpected{with.error()};
  const auto after = quiet(on, length);
  if (!after)
    return std::unexpected{after.error()};
  auto values = round{};
  add_streams(values, "before", *before);
  add_streams(values, "with sign-ins", *with);
  add_streams(values, "after", *after);
  add_sign_ins(values, with->sign_ins);
  add_comparison(values, *before, *with, *after);
  add_faults(values, {&*before, &*with, &*after});
  return values;
}

[[nodiscard]] result<findings> run_rounds(const settings& how, const stage& on) {
  // Unreported: also outlasts the replies to the first messages.
  if (auto warm = crowded(on, std::chrono::seconds{1}); !warm)
    return std::unexpected{std::move(warm.error())};
  auto found = findings{"signins",
                        {{"streams", std::to_string(how.streams)},
                         {"engine's tokens per second of a stream",
                          std::to_string(how.tokens_per_second)},
                         {"clients that sign in", std::to_string(how.signers)},
                         {"seconds of each part", std::to_string(how.seconds)}},
                        {}};
  return hold_rounds(std::move(found), how.rounds, [&](std::size_t) {
    return run_round(on, std::chrono::seconds{how.seconds});
  });
}

} // namespace

result<findings> run_signins(const settings& asked) {
  auto how = asked;
  if (how.tokens_per_second == 0)
    how.tokens_per_second = usual_pace;
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  const auto requests = make_signers(on->server, how.signers);
  if (!requests)
    return std::unexpected{requests.error()};
  const auto seats = open_conversations(on->server, how.streams, 1);
  if (!seats)
    return std::unexpected{seats.error()};
  auto streams = paced_streams{how.tokens_per_second};
  if (auto opened = streams.open(on->server, *seats); !opened)
    return std::unexpected{std::move(opened.error())};
  return run_rounds(how, {on->server, *requests, streams});
}

} // namespace jessica::bench
