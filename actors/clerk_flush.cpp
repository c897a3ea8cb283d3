#include "actors/clerk_steps.hpp"
#include "actors/errors.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] clerk_state::place& flush_line(clerk_state& state) {
  return state.places.back();
}

/// Has the client nothing but the commit to wait for?
[[nodiscard]] bool only_writes(const rest_request& what) {
  const auto writes = what.action == rest_action::insert ||
                      what.action == rest_action::update ||
                      what.action == rest_action::remove;
  return writes && !what.prefer.undo.value_or(false);
}

[[nodiscard]] bool has_company(clerk_state& state) {
  return !state.flushing.empty() || !state.waiting.empty() ||
         std::ranges::any_of(places_of(state),
                             [](const auto& one) { return one.now.what != nullptr; });
}

/// It may be durable, or lost with the database.
[[nodiscard]] std::unexpected<error> unknown() {
  return fail(errc::unavailable,
              "the connection was lost: it is unknown whether it was stored");
}

void answer_all(clerk_pointer self, std::vector<clerk_state::written> those,
                const line_outcome& over) {
  for (auto& one : those) {
    if (over)
      answer(self, one.of, std::move(one.reply));
    else
      answer(self, one.of, unknown());
  }
}

void begin(clerk_pointer self);

void flushed(clerk_pointer self, const line_outcome& over) {
  auto& state = self->state;
  answer_all(self, std::exchange(state.flushing, {}), over);
  if (!over) // what was committed meanwhile may be lost as well
    answer_all(self, std::exchange(state.next_flush, {}), over);
  if (flush_line(state).line && flush_line(state).line->lost())
    close(flush_line(state));
  if (!state.next_flush.empty())
    begin(self);
}

void begin(clerk_pointer self) {
  auto& state = self->state;
  auto& on = flush_line(state);
  std::swap(state.flushing, state.next_flush);
  on.begun = self->clock().now();
  if (auto over = on.line->settle())
    return flushed(self, *over);
  on.watch->arm(on.line->unsent());
  look_later(self);
}

} // namespace

std::uint64_t flush_for(clerk_pointer self, const rest_request& what) {
  auto& state = self->state;
  if (!state.deps.shares_flush || !only_writes(what) || !has_company(state))
    return 0;
  auto& on = flush_line(state);
  // While it works, its answers tell.
  if (on.line && state.flushing.empty() && on.line->gone())
    close(on);
  if (on.line)
    return on.opening;
  if (!on.being_opened)
    open(self, on); // for those to come
  return 0;
}

void committed(clerk_pointer self, clerk_state::place& on, rest_reply reply) {
  auto& state = self->state;
  const auto by = std::exchange(on.flushed_by, 0);
  // The database may have been away in between, and have forgotten it.
  if (!flush_line(state).line || flush_line(state).opening != by)
    return answer(self, on.now, unknown());
  state.next_flush.push_back({std::exchange(on.now, {}), std::move(reply)});
  if (state.flushing.empty())
    begin(self);
}

void flush_ready(clerk_pointer self) {
  auto& state = self->state;
  auto& on = flush_line(state);
  const auto over = on.line->go_on();
  if (over && !state.flushing.empty())
    flushed(self, *over);
  if (on.line && on.line->lost())
    close(on);
  if (on.line)
    on.watch->arm(on.line->unsent());
}

void look_at_flush(clerk_pointer self) {
  auto& state = self->state;
  if (state.flushing.empty())
    return;
  if (self->clock().now() - flush_line(state).begun < silence_limit)
    return look_later(self);
  close(flush_line(state));
  flushed(self, fail(errc::timeout, "PostgreSQL does not answer"));
}

} // namespace jessica::actors
