// CODE WORKER: carries out what is asked for by e-mail, and takes codes and links back.
#pragma once

#include "actors/code_messages.hpp"
#include "actors/mail_desk.hpp"
#include "storage/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>

namespace jessica::actors {

struct code_worker_state {
  mail_desk_ptr desk;
  std::unique_ptr<storage::connection> db;
};

codes_actor::behavior_type
code_worker(codes_actor::stateful_pointer<code_worker_state> self,
            storage::endpoint database, mail_desk_ptr desk);

} // namespace jessica::actors
