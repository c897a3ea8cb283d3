// METER: GATEWAY's books, kept by TELLER with prices. See gateway_messages.hpp.
#pragma once

#include "actors/gateway_messages.hpp"
#include "actors/quota_messages.hpp"
#include "domain/price.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <vector>

namespace jessica::actors {

struct meter_deps {
  teller_actor teller;
  std::shared_ptr<const std::vector<price>> prices;
};

meter_actor::behavior_type meter(meter_actor::pointer self, meter_deps deps);

} // namespace jessica::actors
