#include "actors/changefeed.hpp"

#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "storage/jobs.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace jessica::actors {
namespace {

using self_pointer = changefeed_actor::stateful_pointer<changefeed_state>;

/// How long one turn waits for the log: an actor that is told to end does so by then.
constexpr auto turn = std::chrono::milliseconds{250};
constexpr auto first_pause = std::chrono::milliseconds{100};
constexpr auto longest_pause = std::chrono::milliseconds{5000};
/// A role that may not replicate is not going to be allowed in a moment.
constexpr auto forbidden_pause = std::chrono::seconds{60};

struct feed_metrics {
  ops::counter events{"jessica_actors_feed_events_total",
                      "Changes and messages read from the database's log"};
  ops::counter opened{"jessica_actors_feed_opened_total",
                      "Times the log's stream was opened"};
  ops::gauge lag_bytes{"jessica_actors_feed_lag_bytes",
                       "Bytes of log the database passed on and we did not handle"};
  ops::gauge lag_seconds{"jessica_actors_feed_lag_seconds",
                         "From a commit to its handling, of the latest transaction"};
  ops::gauge connected{"jessica_actors_feed_connected",
                       "1 while the log is being read"};
};

[[nodiscard]] feed_metrics& metrics() {
  static auto known = feed_metrics{};
  return known;
}

/// What one turn found, sent at its end: a thousand messages wake a node once.
struct findings {
  bool jobs = false;
  std::vector<job_id> stops;
};

void note(findings& found, const storage::wal_message& message) {
  if (message.prefix != "jessica")
    return;
  const auto wake = read_wake(message.content);
  if (std::holds_alternative<jobs_ready>(wake))
    found.jobs = true;
  else if (const auto* stopped = std::get_if<job_id>(&wake))
    found.stops.push_back(*stopped);
}

void tell(self_pointer self, findings found) {
  const auto& to = self->state.deps.dispatcher;
  if (!found.stops.empty())
    self->send(to, stop_jobs{std::move(found.stops)});
  if (found.jobs)
    self->send(to, jobs_ready{});
}

void route(self_pointer self, const storage::feed_piece& piece) {
  auto found = findings{};
  for (const auto& event : piece.events)
    if (const auto* message = std::get_if<storage::wal_message>(&event))
      note(found, *message);
  metrics().events.add(static_cast<double>(piece.events.size()));
  const auto age = std::chrono::system_clock::now() - piece.committed;
  metrics().lag_seconds.set(std::max(0.0, std::chrono::duration<double>(age).count()));
  tell(self, std::move(found));
}

/// Opens the stream, tells what was true where it begins, then lets it run: nothing
/// between the two is missed.
[[nodiscard]] result<void> open(self_pointer self) {
  auto& state = self->state;
  auto stream = storage::wal_stream::open(state.deps.database, state.deps.wal);
  if (!stream)
    return std::unexpected{std::move(stream.error())};
  auto cancelled = storage::cancelled_jobs(*state.db, stream->snapshot());
  if (!cancelled)
    return std::unexpected{std::move(cancelled.error())};
  if (auto begun = stream->start(); !begun)
    return begun;
  tell(self, {true, std::move(*cancelled)});
  ops::info("feed.open",
            {{"slot", stream->slot()}, {"position", stream->position().str()}});
  state.stream = std::move(*stream);
  state.pause = {};
  metrics().connected.set(1);
  metrics().opened.add();
  return {};
}

void retry_later(self_pointer self, const error& why) {
  auto& state = self->state;
  state.stream.reset();
  metrics().connected.set(0);
  state.pause = why.code == errc::forbidden
                    ? std::chrono::milliseconds{forbidden_pause}
                    : std::clamp(state.pause * 2, first_pause, longest_pause);
  ops::warn("feed.away", {{"cause", why.what}, {"pause_ms", state.pause.count()}});
  self->delayed_send(self, state.pause, read_on{});
}

/// Reads until nothing comes for a turn, or for a turn at most.
[[nodiscard]] result<void> read(self_pointer self) {
  auto& stream = *self->state.stream;
  const auto until = std::chrono::steady_clock::now() + turn;
  do {
    auto piece = stream.next(turn);
    if (!piece)
      return std::unexpected{std::move(piece.error())};
    metrics().lag_bytes.set(static_cast<double>(stream.lag()));
    if (!*piece) {
      metrics().lag_seconds.set(0);
      break;
    }
    route(self, **piece);
  } while (std::chrono::steady_clock::now() < until);
  return {};
}

void take_turn(self_pointer self) {
  auto done = self->state.stream ? read(self) : open(self);
  if (!done)
    return retry_later(self, done.error());
  self->send(self, read_on{});
}

} // namespace

std::variant<std::monostate, jobs_ready, job_id> read_wake(std::string_view content) {
  if (content == "jobs" || content == "tick")
    return jobs_ready{};
  constexpr auto cancel = std::string_view{"cancel "};
  if (!content.starts_with(cancel))
    return {};
  const auto digits = content.substr(cancel.size());
  auto id = job_id{};
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), id.value);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return {};
  return id;
}

changefeed_actor::behavior_type changefeed(self_pointer self, changefeed_deps deps) {
  guard(self, "CHANGEFEED");
  self->state.db =
      std::make_unique<storage::connection>(deps.database, storage::role::engine);
  self->state.deps = std::move(deps);
  self->send(self, read_on{});
  return {[self](read_on) { take_turn(self); }};
}

} // namespace jessica::actors
