#include "actors/changefeed.hpp"

#include "actors/access_words.hpp"
#include "actors/changefeed_memory.hpp"
#include "actors/changefeed_stored.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "storage/jobs.hpp"
#include "storage/wal_visibility.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace jessica::actors {
namespace {

using namespace changefeed_memory;
using namespace changefeed_stored;

/// How long one turn waits for the log: a join that wants changes waits as long, and so
/// does an actor that is told to end.
constexpr auto turn = std::chrono::milliseconds{20};
constexpr auto first_pause = std::chrono::milliseconds{100};
constexpr auto longest_pause = std::chrono::milliseconds{5000};
/// A role that may not replicate is not going to be allowed in a moment.
constexpr auto forbidden_pause = std::chrono::seconds{60};

/// Jobs' messages come whatever is published; these are ours and quiet.
constexpr auto our_publications =
    std::array<std::string_view, 2>{"jessica_engine", "jessica_broadcasts"};
/// How long rows are read after the last client stopped following any.
constexpr auto rows_kept = std::chrono::seconds{60};

struct feed_metrics {
  ops::counter events{"jessica_actors_feed_events_total",
                      "Changes and messages read from the database's log"};
  ops::counter opened{"jessica_actors_feed_opened_total",
                      "Times the log's stream was opened"};
  ops::gauge lag_bytes{"jessica_actors_feed_lag_bytes",
                       "Bytes of log the database passed on and we did not handle"};
  ops::gauge lag_seconds{"jessica_actors_feed_lag_seconds",
                         "From a commit to its handling, of the latest transaction"};
  ops::counter delivered{"jessica_actors_changes_delivered_total",
                         "Changes handed to clients"};
  ops::gauge subscribers{"jessica_actors_change_subscribers",
                         "Channels that follow changes"};
  ops::gauge connected{"jessica_actors_feed_connected",
                       "1 while the log is being read"};
};

[[nodiscard]] feed_metrics& metrics() {
  static auto known = feed_metrics{};
  return known;
}

void show_subscribers(const changefeed_state& state) {
  metrics().subscribers.set(static_cast<double>(state.deps.router->subscribers()));
}

/// What one turn found, sent at its end: a thousand messages wake a node once.
struct findings {
  bool jobs = false;
  bool rules = false;
  bool schema = false; ///< the schema changed
  bool model = false;  ///< perhaps another embedding model
  bool texts = false;  ///< wait for vectors
  std::vector<job_id> stops;
  std::vector<access_change> access;
};

void note(findings& found, const storage::wal_message& message) {
  if (message.prefix != "jessica")
    return;
  const auto wake = read_wake(message.content);
  if (std::holds_alternative<jobs_ready>(wake))
    found.jobs = true;
  else if (const auto* stopped = std::get_if<job_id>(&wake))
    found.stops.push_back(*stopped);
  else if (std::holds_alternative<rules_changed>(wake))
    found.rules = found.schema = true;
  else if (std::holds_alternative<model_changed>(wake))
    found.model = true;
  else if (std::holds_alternative<texts_due>(wake))
    found.texts = true;
  else if (auto* changed = std::get_if<access_change>(&wake))
    found.access.push_back(*changed);
}

void tell(self_pointer self, findings found) {
  const auto& to = self->state.deps.dispatcher;
  if (!found.stops.empty())
    self->send(to, stop_jobs{std::move(found.stops)});
  if (found.jobs)
    self->send(to, jobs_ready{});
  if (found.schema)
    self->send(self->state.deps.catalog, schema_changed{});
  if (found.texts && self->state.deps.embedding)
    self->send(self->state.deps.embedding, texts_due{});
  if (!found.access.empty())
    self->send(self->state.deps.doorkeeper, access_changed{std::move(found.access)});
  if (found.model && self->state.deps.indexer)
    self->send(self->state.deps.indexer, models_changed{});
}

/// A question about a row that fails is answered by "nobody": told in the log.
template <class T> [[nodiscard]] T or_nothing(result<T> answer) {
  if (answer)
    return std::move(*answer);
  ops::warn("change.row_not_read", {{"cause", answer.error().what}});
  return {};
}

/// Whoever asks the database about a change must see it there: the log is a moment
/// ahead of what queries see. Waits at most once a transaction.
void see(changefeed_state& state, std::uint32_t xid) {
  constexpr auto patience = std::chrono::milliseconds{2000};
  if (std::exchange(state.seen, xid) == xid)
    return;
  if (auto visible = storage::wait_until_visible(*state.db, xid, patience); !visible)
    ops::warn("change.not_visible", {{"cause", visible.error().what}});
}

[[nodiscard]] row_oracle oracle_of(changefeed_state& state, std::uint32_t xid) {
  auto& db = *state.requests;
  return {[&state, &db, xid](const auto& table, const auto& key, auto whom) {
            see(state, xid);
            return or_nothing(storage::who_sees(db, table, key, whom));
          },
          [&state, &db, xid](const auto& table, const auto& key, auto columns) {
            see(state, xid);
            return or_nothing(storage::read_columns(db, table, key, columns));
          }};
}

/// Before anything is judged by rules that may be others by now.
[[nodiscard]] result<void> refresh_rules(changefeed_state& state) {
  if (!state.rules_stale)
    return {};
  auto tables = storage::realtime_tables(*state.db);
  if (!tables)
    return std::unexpected{std::move(tables.error())};
  state.deps.router->set_tables(std::move(*tables));
  state.rules_stale = false;
  return {};
}

[[nodiscard]] result<void> route(self_pointer self, const storage::feed_piece& piece) {
  auto& state = self->state;
  auto found = findings{};
  auto stored = std::vector<stored_ptr>{};
  auto delivered = std::size_t{0};
  for (const auto& event : piece.events) {
    if (const auto* message = std::get_if<storage::wal_message>(&event)) {
      see(state, piece.xid);
      note(found, *message);
      state.rules_stale = state.rules_stale || std::exchange(found.rules, false);
    } else if (const auto* change = std::get_if<storage::row_change>(&event)) {
      if (auto one = state.deps.broadcasts->take(*change, piece.xid))
        stored.push_back(std::move(one));
      if (auto fresh = refresh_rules(state); !fresh)
        return fresh;
      delivered += state.deps.router->route(*change, piece.committed,
                                            oracle_of(state, piece.xid));
    }
  }
  metrics().delivered.add(static_cast<double>(delivered));
  metrics().events.add(static_cast<double>(piece.events.size()));
  const auto age = std::chrono::system_clock::now() - piece.committed;
  metrics().lag_seconds.set(std::max(0.0, std::chrono::duration<double>(age).count()));
  tell(self, std::move(found));
  hand_out(self, std::move(stored));
  return {};
}

/// Opens the stream, tells what was true where it begins, then lets it run: nothing
/// between the two is missed.
[[nodiscard]] result<void> open(self_pointer self) {
  auto& state = self->state;
  auto options = state.deps.wal;
  if (!state.rows)
    options.publications = {our_publications.begin(), our_publications.end()};
  auto stream = storage::wal_stream::open(state.deps.database, options);
  if (!stream)
    return std::unexpected{std::move(stream.error())};
  auto cancelled = storage::cancelled_jobs(*state.db, stream->snapshot());
  if (!cancelled)
    return std::unexpected{std::move(cancelled.error())};
  auto missed = read_missed(state, stream->snapshot());
  if (!missed)
    return std::unexpected{std::move(missed.error())};
  auto embeddings = hold_embeddings(state, stream->snapshot());
  if (!embeddings)
    return std::unexpected{std::move(embeddings.error())};
  if (auto begun = stream->start(); !begun)
    return begun;
  state.rules_stale = true;
  if (auto fresh = refresh_rules(state); !fresh)
    return fresh;
  tell(self, {true, false, true, false, true, std::move(*cancelled), {}});
  begin_embeddings(self, std::move(*embeddings), stream->position());
  self->send(state.deps.doorkeeper, doubt_logins{});
  hand_out(self, state.deps.broadcasts->take_missed(std::move(*missed)));
  ops::info("feed.open", {{"slot", stream->slot()},
                          {"position", stream->position().str()},
                          {"rows", state.rows}});
  state.stream = std::move(*stream);
  state.pause = {};
  metrics().connected.set(1);
  metrics().opened.add();
  say_open(state);
  return {};
}

void retry_later(self_pointer self, const error& why) {
  auto& state = self->state;
  state.stream.reset();
  lose_embeddings(self);
  state.deps.router->drop_all("changes may have been missed");
  metrics().connected.set(0);
  state.pause = why.code == errc::forbidden
                    ? std::chrono::milliseconds{forbidden_pause}
                    : std::clamp(state.pause * 2, first_pause, longest_pause);
  ops::warn("feed.away", {{"cause", why.what}, {"pause_ms", state.pause.count()}});
  self->delayed_send(self, state.pause, read_on{});
}

[[nodiscard]] timestamp now_by_wall() {
  return std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now());
}

/// Reads until nothing comes for a turn, or for a turn at most.
[[nodiscard]] result<void> read(self_pointer self) {
  auto& stream = *self->state.stream;
  const auto wait = std::min(turn, patience_of(self->state));
  const auto until = std::chrono::steady_clock::now() + turn;
  do {
    auto piece = stream.next(wait);
    if (!piece)
      return std::unexpected{std::move(piece.error())};
    metrics().lag_bytes.set(static_cast<double>(stream.lag()));
    if (!*piece) {
      metrics().lag_seconds.set(0);
      self->state.deps.broadcasts->read_to_end(now_by_wall());
      break;
    }
    const auto shared = std::make_shared<const storage::feed_piece>(std::move(**piece));
    if (auto routed = route(self, *shared); !routed)
      return routed;
    hand_embeddings(self, shared, stream.position());
  } while (std::chrono::steady_clock::now() < until &&
           self->state.handed < most_handed);
  return tell_read(self);
}

/// Rows that nobody follows are not worth their way through the log's decoder: it costs
/// the database about as much as a message costs the server.
[[nodiscard]] result<void> read_rows(self_pointer self, bool wanted) {
  auto& state = self->state;
  if (state.rows == wanted)
    return {};
  state.rows = wanted;
  state.stream.reset();
  return open(self); // a failure is tried again in the next turn
}

[[nodiscard]] bool nobody_follows(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (state.deps.router->subscribers() > 0)
    state.followed_at = now;
  return now - state.followed_at > rows_kept;
}

void take_turn(self_pointer self) {
  if (self->state.stream && self->state.rows && nobody_follows(self))
    if (auto narrowed = read_rows(self, false); !narrowed)
      return retry_later(self, narrowed.error());
  auto done = self->state.stream ? read(self) : open(self);
  if (!done)
    return retry_later(self, done.error());
  read_when_told(self);
}

} // namespace

std::variant<std::monostate, jobs_ready, job_id, rules_changed, access_change,
             model_changed, texts_due>
read_wake(std::string_view content) {
  if (content == "jobs" || content == "tick")
    return jobs_ready{};
  if (content == "ddl")
    return rules_changed{};
  if (content == "model")
    return model_changed{};
  if (content == "embed")
    return texts_due{};
  if (const auto access = read_access_change(content))
    return *access;
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
  self->state.requests =
      std::make_unique<storage::connection>(deps.database, storage::role::requests);
  self->state.deps = std::move(deps);
  self->state.deps.router->drop_all("changes may have been missed");
  self->send(self, read_on{});
  return {
      [self](read_on) { take_turn(self); },
      [self](hurry_to msg) { hurry(self, msg.place); },
      [self](subscribe_changes& msg) -> caf::result<changes_subscribed> {
        auto& state = self->state;
        if (!state.stream)
          return to_caf({errc::unavailable, "changes cannot be read now", {}, nullptr});
        if (auto wide = read_rows(self, true); !wide)
          return to_caf(std::move(wide.error()));
        if (auto fresh = refresh_rules(state); !fresh)
          return to_caf(std::move(fresh.error()));
        state.followed_at = self->clock().now();
        auto answer =
            changes_subscribed{state.deps.router->subscribe(std::move(msg.who))};
        show_subscribers(state);
        return answer;
      },
      [self](const unsubscribe_changes& msg) {
        self->state.deps.router->unsubscribe(msg.socket, msg.topic, msg.join_ref);
        show_subscribers(self->state);
      },
      [self](await_feed) {
        auto opened = self->make_response_promise<done>();
        self->state.waiting.push_back(opened);
        if (self->state.stream)
          say_open(self->state);
        return opened;
      },
  };
}

} // namespace jessica::actors
