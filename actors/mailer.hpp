// MAILER: sends the letters of the outbox, off the path of the requests that caused
// them.
#pragma once

#include "actors/code_messages.hpp"
#include "mail/sender.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace jessica::actors {

struct mailer_options {
  storage::endpoint database;
  storage::mail_rules rules;
  std::function<std::unique_ptr<mail::sender>()> open;
};

struct mailer_state {
  std::shared_ptr<const mailer_options> options;
  std::unique_ptr<storage::connection> db;
  std::unique_ptr<mail::sender> to;
  std::optional<std::chrono::steady_clock::time_point> swept;
};

mailer_actor::behavior_type mailer(mailer_actor::stateful_pointer<mailer_state> self,
                                   std::shared_ptr<const mailer_options> options);

} // namespace jessica::actors
