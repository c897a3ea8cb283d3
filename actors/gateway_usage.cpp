#include "actors/gateway_usage.hpp"

#include "actors/errors.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

namespace jessica::actors::gateway_usage {
namespace {

constexpr auto pause = std::chrono::seconds{1};
/// Where nobody is limited nobody waits for a count: a commit has many.
constexpr auto gathering = std::chrono::milliseconds{20};

[[nodiscard]] ops::counter& lost() {
  static auto counted =
      ops::counter{"jessica_actors_usage_lost_total",
                   "Completions and embeddings whose usage was never counted"};
  return counted;
}

void tell_later(self_pointer self, std::chrono::milliseconds after) {
  self->delayed_send(gateway_actor{self}, after, count_again{});
}

/// Nothing was told: it goes before what came since.
void keep(self_pointer self, std::vector<usage_spent> told, const error& why) {
  auto& state = self->state;
  ops::warn("usage.not_counted",
            {{"waiting", told.size() + state.unspent.size()}, {"cause", why.what}});
  std::ranges::move(state.unspent, std::back_inserter(told));
  if (told.size() > state.deps.usage_queue) {
    lost().add(static_cast<double>(told.size() - state.deps.usage_queue));
    told.resize(state.deps.usage_queue);
  }
  state.unspent = std::move(told);
  tell_later(self, pause);
}

void tell_meter(self_pointer self) {
  auto& state = self->state;
  if (state.counting || state.unspent.empty())
    return;
  state.counting = true;
  const auto told =
      std::make_shared<std::vector<usage_spent>>(std::exchange(state.unspent, {}));
  self->request(state.deps.meter, caf::infinite, count_usage{*told})
      .then(
          [self](const usage_counted& done) {
            self->state.limits = done.limits;
            if (done.limits)
              count_again_now(self);
            else
              tell_later(self, gathering);
          },
          [self, told](const caf::error& why) {
            keep(self, std::move(*told), from_caf(why));
          });
}

} // namespace

bool is_asked(const gateway_state& in) noexcept {
  return in.deps.meter && in.limits;
}

void count(self_pointer self, usage_spent what) {
  auto& state = self->state;
  const auto nothing =
      what.hold == 0 && what.used.prompt_tokens + what.used.completion_tokens == 0;
  if (!state.deps.meter || nothing)
    return;
  if (state.unspent.size() >= state.deps.usage_queue)
    return lost().add();
  state.unspent.push_back(std::move(what));
  tell_meter(self);
}

void count_again_now(self_pointer self) {
  self->state.counting = false;
  tell_meter(self);
}

} // namespace jessica::actors::gateway_usage
