#include "actors/clerk.hpp"

#include "actors/clerk_steps.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "actors/usage_counts.hpp"
#include "ops/log.hpp"

#include <caf/actor_cast.hpp>
#include <caf/message.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = clerk_pointer;
using place = clerk_state::place;
using errand = clerk_state::errand;
using outcome = line_outcome;

/// The first reading of a large schema on a busy machine; requests wait meanwhile.
constexpr auto schema_limit = std::chrono::seconds{10};
constexpr auto look_every = std::chrono::seconds{1};

void follow(self_pointer self) {
  // Until the answer is here, everything else waits in the mailbox.
  self->request(self->state.deps.catalog, schema_limit, follow_schema{})
      .await([self](schema_loaded& got) { self->state.schema = std::move(got.now); },
             [](const caf::error& why) {
               ops::warn("schema.not_followed", {{"cause", from_caf(why).what}});
             });
}

/// One request's bug is its own: the others on the CLERK's lines go on.
template <class Work> [[nodiscard]] std::optional<outcome> guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& bug) {
    ops::error("request.exception", {{"what", bug.what()}});
    return fail(errc::internal, bug.what());
  }
}

} // namespace

void answer(self_pointer self, errand& of, outcome with) {
  auto& state = self->state;
  if (with) {
    of.asker.deliver(std::move(*with));
  } else {
    if (storage::may_be_outdated(with.error()))
      self->send(state.deps.catalog, schema_missed{state.schema->version});
    if (of.what)
      note_refusal(of.what->who.user, with.error());
    of.asker.deliver(to_caf(std::move(with.error())));
  }
  of = {};
}

void close(place& which) {
  which.watch.reset();
  which.line.reset();
}

void look_later(self_pointer self) {
  if (!std::exchange(self->state.looking, true))
    self->delayed_send(self, look_every, look_at_lines{});
}

std::span<place> places_of(clerk_state& state) {
  return std::span{state.places}.first(state.deps.lines);
}

namespace {

/// Starts on a free place; false: the request is answered already.
[[nodiscard]] bool start(self_pointer self, place& on, errand what) {
  on.flushed_by = flush_for(self, *what.what);
  on.now = std::move(what);
  on.begun = self->clock().now();
  auto over = guarded([&] {
    const auto how =
        on.flushed_by == 0 ? storage::commits::durable : storage::commits::lazy;
    return on.line->start(on.now.what, self->state.schema, how);
  });
  if (over)
    answer(self, on.now, std::move(*over));
  if (on.line->lost())
    close(on);
  else
    on.watch->arm(on.line->unsent());
  return on.now.what != nullptr;
}

/// A free place whose line is good.
[[nodiscard]] place* free_place(self_pointer self) {
  for (auto& one : places_of(self->state)) {
    if (one.free() && one.line->gone())
      close(one);
    if (one.free())
      return &one;
  }
  return nullptr;
}

void open_more(self_pointer self);

void serve_waiting(self_pointer self) {
  auto& waiting = self->state.waiting;
  while (!waiting.empty()) {
    auto* const on = free_place(self);
    if (on == nullptr)
      return open_more(self);
    auto next = std::move(waiting.front());
    waiting.pop_front();
    if (start(self, *on, std::move(next)))
      look_later(self);
  }
}

void opened(self_pointer self, place& which, line_opened&& got) {
  which.being_opened = false;
  which.line = std::move(got.line);
  ++which.opening;
  const auto number = static_cast<std::size_t>(&which - self->state.places.data());
  which.watch = self->state.deps.sockets->add(
      which.line->socket(), caf::actor_cast<caf::strong_actor_ptr>(self),
      caf::make_message(line_ready{number, which.opening}));
  serve_waiting(self);
}

void not_opened(self_pointer self, place& which, error why) {
  which.being_opened = false;
  auto& state = self->state;
  const auto lives = [](const place& one) { return one.line || one.being_opened; };
  if (std::ranges::any_of(places_of(state), lives))
    return; // those who wait have others to wait for
  for (auto& one : std::exchange(state.waiting, {}))
    answer(self, one, std::unexpected{why});
}

} // namespace

void open(self_pointer self, place& which) {
  which.being_opened = true;
  self->request(self->state.deps.porter, caf::infinite, open_line{})
      .then([self, &which](line_opened& got) { opened(self, which, std::move(got)); },
            [self, &which](const caf::error& why) {
              not_opened(self, which, from_caf(why));
            });
}

namespace {

/// As many lines as requests wait for.
void open_more(self_pointer self) {
  auto& state = self->state;
  auto wanted = state.waiting.size();
  for (auto& one : places_of(state))
    if (one.being_opened && wanted > 0)
      --wanted;
  for (auto& one : places_of(state)) {
    if (wanted == 0)
      return;
    if (one.line || one.being_opened)
      continue;
    --wanted;
    open(self, one);
  }
}

[[nodiscard]] caf::result<rest_reply> take(self_pointer self, const perform& asked) {
  auto& state = self->state;
  if (!state.schema) {
    follow(self); // for the next request
    return to_caf({errc::unavailable,
                   "Could not query the database for the schema cache. Retrying.",
                   "PGRST002", nullptr});
  }
  // Those for whom a line is being opened do not count as waiting for one.
  const auto coming = std::ranges::count(places_of(state), true, &place::being_opened);
  if (state.waiting.size() >= state.deps.queue + static_cast<std::size_t>(coming))
    return to_caf({errc::overloaded, state.deps.name + ": queue is full", {}, nullptr});
  auto asker = self->make_response_promise<rest_reply>();
  state.waiting.push_back({asked.what, asker});
  serve_waiting(self);
  return asker;
}

void finish(self_pointer self, place& on, outcome with) {
  if (with && on.flushed_by != 0)
    return committed(self, on, std::move(*with));
  on.flushed_by = 0;
  answer(self, on.now, std::move(with));
}

void ready(self_pointer self, line_ready which) {
  auto& on = self->state.places[which.place];
  if (!on.line || on.opening != which.opening)
    return;
  if (which.place >= self->state.deps.lines)
    return flush_ready(self);
  auto over = guarded([&] { return on.line->go_on(); });
  if (over && on.now.what)
    finish(self, on, std::move(*over));
  if (on.line->lost())
    close(on);
  if (on.free() || !on.line)
    serve_waiting(self);
  if (on.line)
    on.watch->arm(on.line->unsent());
}

void stop(self_pointer self, place& which) {
  which.being_stopped = true;
  const auto over = [self, &which] {
    which.being_stopped = false;
    serve_waiting(self);
  };
  self->request(self->state.deps.porter, caf::infinite,
                stop_line{which.line->stopper()})
      .then([over](done) { over(); }, [over](const caf::error&) { over(); });
}

void let_go(self_pointer self, const forget& left) {
  auto& state = self->state;
  const auto queued = std::ranges::find(state.waiting, left.what, &errand::what);
  if (queued != state.waiting.end()) {
    answer(self, *queued, fail(errc::unavailable, "the client has left"));
    state.waiting.erase(queued);
    return;
  }
  for (auto& one : places_of(state))
    if (one.line && one.now.what == left.what && !one.being_stopped)
      stop(self, one);
}

void look(self_pointer self) {
  auto& state = self->state;
  state.looking = false;
  const auto now = self->clock().now();
  auto busy = false;
  for (auto& one : places_of(state)) {
    if (!one.now.what)
      continue;
    busy = true;
    if (now - one.begun < silence_limit)
      continue;
    close(one);
    answer(self, one.now, fail(errc::timeout, "PostgreSQL does not answer"));
  }
  if (busy)
    look_later(self);
  look_at_flush(self);
  serve_waiting(self);
}

} // namespace

clerk_actor::behavior_type clerk(self_pointer self, clerk_deps deps) {
  guard(self, "CLERK");
  self->state.places.resize(deps.lines + (deps.shares_flush ? 1 : 0));
  self->state.deps = std::move(deps);
  follow(self);
  return {
      [self](const perform& asked) { return take(self, asked); },
      [self](const forget& left) { let_go(self, left); },
      [self](line_ready which) { ready(self, which); },
      [self](look_at_lines) { look(self); },
      [self](const schema_loaded& fresh) {
        if (fresh.now) // else what was read before still is the best there is
          self->state.schema = fresh.now;
      },
  };
}

} // namespace jessica::actors
