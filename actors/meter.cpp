#include "actors/meter.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"

#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] spend_all priced(const count_usage& what, const std::vector<price>& by) {
  auto all = spend_all{};
  for (const auto& one : what.all) {
    auto used = one.used;
    used.cost = cost_of(by, one.model, used);
    all.what.push_back({.user = one.who,
                        .model = one.model,
                        .used = used,
                        .replies = one.replies,
                        .hold = {one.hold},
                        .job = {}});
  }
  return all;
}

} // namespace

meter_actor::behavior_type meter(meter_actor::pointer self, meter_deps deps) {
  guard(self, "METER");
  return {
      [self, teller = deps.teller](const hold_usage& msg) -> caf::result<usage_held> {
        auto asker = self->make_response_promise<usage_held>();
        self->request(teller, caf::infinite,
                      hold_quota{{msg.who, msg.prompt_tokens, msg.reply_tokens}})
            .then([asker](
                      quota_hold held) mutable { asker.deliver(usage_held{held.id}); },
                  [asker](caf::error& why) mutable { asker.deliver(std::move(why)); });
        return asker;
      },
      [self,
       deps = std::move(deps)](const count_usage& msg) -> caf::result<usage_counted> {
        auto asker = self->make_response_promise<usage_counted>();
        self->request(deps.teller, caf::infinite, priced(msg, *deps.prices))
            .then(
                [asker](all_spent told) mutable {
                  asker.deliver(usage_counted{told.limits});
                },
                [asker](caf::error& why) mutable { asker.deliver(std::move(why)); });
        return asker;
      },
  };
}

} // namespace jessica::actors
