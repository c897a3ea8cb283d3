#include "actors/dispatcher.hpp"
#include "actors/gateway.hpp"
#include "actors/inference.hpp"
#include "actors/keeper.hpp"
#include "actors/meter.hpp"
#include "actors/services.hpp"
#include "actors/titler.hpp"

#include <utility>

namespace jessica::actors {
namespace {

using price_list = std::shared_ptr<const std::vector<price>>;

[[nodiscard]] titler_actor start_titler(service_roll& roll,
                                        const system_options& options,
                                        const teller_actor& teller,
                                        const price_list& prices) {
  const auto& limits = options.settings.inference;
  if (!limits.titles || !options.engine->follows_instructions())
    return {};
  auto deps =
      titler_deps{options.engine,
                  [database = options.database] { return open_title_desk(database); },
                  limits.titles_at_once, limits.title_queue};
  deps.teller = teller;
  deps.prices = prices;
  return roll.threaded("TITLER", titler, deps);
}

[[nodiscard]] gateway_actor start_gateway(service_roll& roll,
                                          const system_options& options,
                                          const memory_services& memory,
                                          const teller_actor& teller,
                                          const price_list& prices) {
  if (!options.settings.gateway.enabled)
    return {};
  auto deps = gateway_deps{options.engine, options.settings.gateway};
  deps.meter = roll.scheduled("METER", meter, meter_deps{teller, prices});
  deps.memory_timeout = options.settings.memory.prompt_timeout;
  if (options.embedder) {
    deps.memory = memory.memory;
    deps.embedder = caf::actor_cast<embedder_actor>(memory.texts);
    deps.embedding_model = options.embedder->traits().id;
  }
  return roll.scheduled("GATEWAY", gateway, deps);
}

[[nodiscard]] inference_tools tools_of(const system_options& options) {
  const auto& set = options.settings.tools;
  return {.runner = options.tools,
          .search_memory = set.search_memory,
          .rounds = set.rounds,
          .at_once = set.at_once};
}

[[nodiscard]] dispatcher_actor start_dispatcher(service_roll& roll,
                                                const system_options& options,
                                                const inference_deps& all_jobs) {
  constexpr auto asks_that_may_wait = std::size_t{8};
  const auto& limits = options.settings.inference;
  const auto lease_keeper =
      roll.pooled("KEEPER", 1, asks_that_may_wait, keeper,
                  keeper_options{options.database, options.node, limits.lease});
  const auto start_job = [&sys = roll.system(),
                          all_jobs](dispatcher_actor boss, job what,
                                    std::shared_ptr<const lease_watch> lease) {
    auto deps = all_jobs;
    deps.dispatcher = std::move(boss);
    deps.lease = std::move(lease);
    return sys.spawn(inference, std::move(deps), std::move(what));
  };
  return roll.scheduled(
      "DISPATCHER", dispatcher,
      dispatcher_deps{lease_keeper, all_jobs.persistence, all_jobs.readers, start_job,
                      limits.slots, limits.per_user, limits.heartbeat, limits.lease});
}

} // namespace

reply_services start_replies(service_roll& roll, const system_options& options,
                             const hub_actor& hub, const storage_services& storage,
                             const memory_services& memory) {
  const auto& set = options.settings;
  const auto prices = std::make_shared<const std::vector<price>>(set.quota.prices);
  auto jobs = inference_deps{};
  jobs.hub = hub;
  jobs.persistence = storage.persistence;
  jobs.readers = storage.readers;
  jobs.engine = options.engine;
  jobs.checkpoint_every = set.inference.checkpoint_every;
  jobs.memory = options.embedder ? memory.memory : memory_actor{};
  jobs.memory_timeout = set.memory.prompt_timeout;
  jobs.titler = start_titler(roll, options, storage.teller, prices);
  jobs.tools = tools_of(options);
  jobs.prices = prices;
  jobs.teller = storage.teller;
  auto made = reply_services{};
  made.gateway = start_gateway(roll, options, memory, storage.teller, prices);
  made.dispatcher = start_dispatcher(roll, options, jobs);
  return made;
}

} // namespace jessica::actors
