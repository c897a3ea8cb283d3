// The interface of GATEWAY: completions and embeddings for tools outside of our chat.
// Not in protocol.hpp: few actors know it.
#pragma once

#include "actors/embedding_messages.hpp"
#include "domain/chat.hpp"
#include "domain/ids.hpp"
#include "engines/engine.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jessica::actors {

class completion_run;

/// Ask the engine. `told` is called as engines::event_sink says, perhaps before the
/// answer is there; its first event is model_changed with whom was asked. Tokens do not
/// pass any actor.
struct start_completion {
  std::optional<user_id> who; ///< none: a service, which is counted for nobody
  prompt asked;               ///< `recalls`: the user's memories are added to it
  engines::event_sink told;
};
struct completion_started {
  std::shared_ptr<completion_run> run; ///< its end cancels the engine
};

/// What a completion has used, when it is over, whichever way.
struct completion_ended {
  std::uint64_t number = 0;
  usage used;
  std::string model;
  bool answered = false; ///< to its end, or as far as it was wanted
};

struct embed_for {
  std::optional<user_id> who;
  embed_texts what;
};
struct embedded_for {
  std::vector<std::vector<float>> vectors; ///< one a text, in order
  std::int64_t tokens = 0;                 ///< of the texts, estimated
};

struct list_models {};
struct models_listed {
  std::vector<std::string> names; ///< the default first
};

/// A share of a user's quota is wanted: so much may be used at most.
struct hold_usage {
  user_id who;
  std::int64_t prompt_tokens = 0;           ///< about
  std::optional<std::int64_t> reply_tokens; ///< none: as much as is usual
};
struct usage_held {
  std::int64_t hold = 0; ///< 0: no limit applies to this user
};
/// What was used; ends the hold.
struct usage_spent {
  user_id who;
  std::string model;
  usage used;
  std::int32_t replies = 0; ///< 1, or 0: it failed, or is no reply
  std::int64_t hold = 0;
};
struct count_usage {
  std::vector<usage_spent> all;
};
struct usage_counted {
  bool limits = true; ///< whether there are limits for anybody
};

/// METER keeps the books of usage; GATEWAY's way to them.
using meter_actor = caf::typed_actor<
    // Fails: overloaded (a limit is reached), unavailable.
    caf::replies_to<hold_usage>::with<usage_held>,
    // All or none of them. Fails: unavailable.
    caf::replies_to<count_usage>::with<usage_counted>>;

/// GATEWAY to itself: what could not be counted is tried again.
struct count_again {};

/// GATEWAY admits completions, counts who has how many, and starts them.
using gateway_actor = caf::typed_actor<
    // Fails: overloaded (too_many_completions: of the node; too_many_of_user; or as
    // METER), not_found (model_not_found), unavailable.
    caf::replies_to<start_completion>::with<completion_started>,
    // From a completion_run, or from who ended it; of an unknown one: ignored.
    caf::reacts_to<completion_ended>,
    // Fails: unavailable (no_embedder), and as EMBEDDER.
    caf::replies_to<embed_for>::with<embedded_for>,
    caf::replies_to<list_models>::with<models_listed>, caf::reacts_to<count_again>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::actors::start_completion)
JESSICA_LOCAL_MESSAGE(jessica::actors::completion_started)
JESSICA_LOCAL_MESSAGE(jessica::actors::completion_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::embed_for)
JESSICA_LOCAL_MESSAGE(jessica::actors::embedded_for)
JESSICA_LOCAL_MESSAGE(jessica::actors::list_models)
JESSICA_LOCAL_MESSAGE(jessica::actors::models_listed)
JESSICA_LOCAL_MESSAGE(jessica::actors::hold_usage)
JESSICA_LOCAL_MESSAGE(jessica::actors::usage_held)
JESSICA_LOCAL_MESSAGE(jessica::actors::count_usage)
JESSICA_LOCAL_MESSAGE(jessica::actors::usage_counted)
JESSICA_LOCAL_MESSAGE(jessica::actors::count_again)
#undef JESSICA_LOCAL_MESSAGE
