// The messages of EMBEDDER and EMBEDDING: texts become vectors. Not in protocol.hpp:
// few actors know them.
#pragma once

#include "actors/messages.hpp"
#include "engines/embedder.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>
#include <vector>

namespace jessica::actors {

/// Somebody waits for these: they do not queue behind the messages that are embedded in
/// the background.
struct embed_texts {
  std::vector<std::string> texts;
  engines::text_purpose purpose = engines::text_purpose::query;
};
struct texts_embedded {
  std::vector<std::vector<float>> vectors; ///< one a text, in order
};

/// EMBEDDER turns texts into vectors. Detached workers in a POOL.
/// Fails: overloaded (its queue is full), and as engines::embedder::embed().
using embedder_actor =
    caf::typed_actor<caf::replies_to<embed_texts>::with<texts_embedded>>;

} // namespace jessica::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::embed_texts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::texts_embedded)
