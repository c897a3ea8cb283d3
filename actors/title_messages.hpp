// The messages of TITLER. Not in protocol.hpp: few actors know them.
#pragma once

#include "actors/messages.hpp"
#include "domain/ids.hpp"
#include "engines/engine.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace jessica::actors {

/// From INFERENCE: a reply is stored in a conversation that is young.
struct name_conversation {
  user_id owner;
  conversation_id which;
  std::optional<std::string> model; ///< that answers in it; empty: the engine's choice
};

/// TITLER to itself: of the title with this number.
struct title_event {
  std::uint64_t of = 0;
  engines::engine_event event;
};
struct title_late {
  std::uint64_t of = 0;
};

/// TITLER lets the engine name conversations that have no title but their first words.
/// Detached. What it cannot do now is not done: the next reply asks again.
using titler_actor =
    caf::typed_actor<caf::reacts_to<name_conversation>, caf::reacts_to<title_event>,
                     caf::reacts_to<title_late>>;

} // namespace jessica::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::name_conversation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::title_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::title_late)
