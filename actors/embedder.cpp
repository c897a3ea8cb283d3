#include "actors/embedder.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "actors/text_batch.hpp"
#include "actors/text_desk.hpp"

#include <chrono>
#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] result<void> free_again(embedder_state& state,
                                      const storage::text_work& taken) {
  return storage::release_texts(*state.engine, {&taken, 1},
                                std::chrono::milliseconds{0});
}

/// Embeds one text that was taken, and stores it. False: it was changed meanwhile.
[[nodiscard]] result<bool> embed_taken(embedder_state& state,
                                       storage::model_number model,
                                       const storage::text_work& taken,
                                       std::size_t& pieces) {
  auto batch = embed_batch(*state.deps.embedder, {taken}, state.deps.run);
  if (batch.ready.empty()) {
    // The work stays for EMBEDDING, which counts what it fails at.
    if (auto freed = free_again(state, taken); !freed)
      return std::unexpected{std::move(freed.error())};
    if (batch.away)
      return std::unexpected{std::move(*batch.away)};
    return jessica::fail(errc::internal, batch.failed.front().what);
  }
  pieces = batch.ready.front().pieces.size();
  const auto stored = storage::store_embeddings(*state.engine, model, batch.ready);
  if (!stored)
    return std::unexpected{stored.error()};
  if (stored->front())
    return true;
  return free_again(state, taken).transform([] { return false; });
}

[[nodiscard]] result<message_embedded>
embed_now(embedder_state& state, storage::model_number model, message_id message) {
  // Somebody who edits it at the moment, or EMBEDDING, may be quicker: they leave the
  // text as it is by then.
  constexpr auto tries = 3;
  const auto wish = storage::text_claim{model, state.deps.node, 1, 0, text_lease};
  for (auto i = 0; i < tries; ++i) {
    const auto taken = storage::take_text(*state.engine, wish, message);
    if (!taken)
      return std::unexpected{taken.error()};
    auto pieces = std::size_t{0};
    const auto stored =
        *taken ? embed_taken(state, model, **taken, pieces) : result<bool>{true};
    if (!stored)
      return std::unexpected{stored.error()};
    if (*stored)
      return storage::log_position(*state.engine).transform([&](lsn position) {
        return message_embedded{pieces, position};
      });
  }
  return jessica::fail(errc::conflict, "the message is being changed");
}

[[nodiscard]] result<message_embedded> embed_one(embedder_state& state,
                                                 const embed_message& asked) {
  const auto seen = storage::sees_message(*state.requests, *asked.who, asked.message);
  if (!seen)
    return std::unexpected{seen.error()};
  if (!*seen)
    return jessica::fail(errc::not_found, "no such message", "message_not_found");
  const auto model =
      storage::find_used_model(*state.engine, state.deps.embedder->traits().id);
  if (!model)
    return std::unexpected{model.error()};
  if (!*model)
    return jessica::fail(errc::unavailable, "this node's model is not the one in use");
  const auto there = storage::count_vectors(*state.engine, **model, asked.message);
  if (!there)
    return std::unexpected{there.error()};
  if (*there == 0)
    return embed_now(state, **model, asked.message);
  return storage::log_position(*state.engine).transform([&](lsn position) {
    return message_embedded{*there, position};
  });
}

} // namespace

text_embedder_actor::behavior_type
embedder(text_embedder_actor::stateful_pointer<embedder_state> self,
         embedder_deps deps) {
  guard(self, "EMBEDDER");
  auto& state = self->state;
  state.requests =
      std::make_unique<storage::connection>(deps.database, storage::role::requests);
  state.engine =
      std::make_unique<storage::connection>(deps.database, storage::role::engine);
  state.deps = std::move(deps);
  return {
      [&state](const embed_texts& msg) -> caf::result<texts_embedded> {
        auto made = embed_checked(*state.deps.embedder, msg.texts, msg.purpose);
        if (!made)
          return to_caf(std::move(made.error()));
        return texts_embedded{std::move(*made)};
      },
      [&state](const embed_message& msg) { return answer(embed_one(state, msg)); },
      [](are_you_free) { return done{}; },
  };
}

text_embedder_actor::behavior_type embedder_lanes(text_embedder_actor::pointer self,
                                                  text_embedder_actor texts,
                                                  text_embedder_actor messages) {
  guard(self, "EMBEDDERS");
  return {
      [self, texts](embed_texts& msg) { return self->delegate(texts, std::move(msg)); },
      [self, messages](embed_message& msg) {
        return self->delegate(messages, std::move(msg));
      },
      [self, texts](are_you_free) { return self->delegate(texts, are_you_free{}); },
  };
}

} // namespace jessica::actors
