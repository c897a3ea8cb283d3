// The messages of EMBEDDER and EMBEDDING: texts become vectors. Not in protocol.hpp:
// few actors know them.
#pragma once

#include "actors/messages.hpp"
#include "domain/identity.hpp"
#include "domain/ids.hpp"
#include "domain/lsn.hpp"
#include "engines/embedder.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstddef>
#include <memory>
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

/// Embed this message now, as it is, and store its vectors, unless they are there.
struct embed_message {
  std::shared_ptr<const identity> who; ///< must be able to see it
  message_id message;
};
struct message_embedded {
  std::size_t pieces = 0; ///< 0: the message has no words, or no text yet
  lsn position;           ///< whoever has read the log to here knows them
};

/// EMBEDDER, for who has more to ask.
using text_embedder_actor = embedder_actor::extend<
    // Fails: not_found (message_not_found), conflict (it is being changed), and as
    // above.
    caf::replies_to<embed_message>::with<message_embedded>,
    caf::replies_to<are_you_free>::with<done>>;

/// From CHANGEFEED: texts wait in the database.
struct texts_due {};
/// EMBEDDING to itself: the next batch.
struct embed_on {};
/// EMBEDDING to itself, now and then: what nobody told us about.
struct look_for_texts {};

/// EMBEDDING takes what waits in the database, batch by batch, behind everything else
/// the machine has to do. Detached.
using embedding_actor =
    caf::typed_actor<caf::reacts_to<texts_due>, caf::reacts_to<embed_on>,
                     caf::reacts_to<look_for_texts>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::actors::embed_texts)
JESSICA_LOCAL_MESSAGE(jessica::actors::texts_embedded)
JESSICA_LOCAL_MESSAGE(jessica::actors::embed_message)
JESSICA_LOCAL_MESSAGE(jessica::actors::message_embedded)
JESSICA_LOCAL_MESSAGE(jessica::actors::texts_due)
JESSICA_LOCAL_MESSAGE(jessica::actors::embed_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::look_for_texts)
#undef JESSICA_LOCAL_MESSAGE
