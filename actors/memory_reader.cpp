#include "actors/memory_reader.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"

#include <utility>

namespace jessica::actors {

memory_reader_actor::behavior_type
memory_reader(memory_reader_actor::stateful_pointer<memory_reader_state> self,
              memory_reader_options options) {
  guard(self, "MEMORY READER");
  self->state.db =
      std::make_unique<storage::connection>(options.database, storage::role::requests);
  self->state.options = std::move(options);
  return {
      [self](const read_memories& msg) {
        return answer(
            storage::read_memories(*self->state.db, msg.whose, msg.places)
                .transform([](auto texts) { return memories_read{std::move(texts)}; }));
      },
      [self](const nearest_in_table& msg) {
        return answer(
            storage::nearest_memories(*self->state.db, msg.whose, msg.model, *msg.query,
                                      msg.filter, msg.k, msg.min_score)
                .transform([](auto hits) { return pieces_found{std::move(hits)}; }));
      },
      [self](const match_words& msg) {
        return answer(
            storage::memories_with_words(*self->state.db, msg.whose,
                                         self->state.options.language, msg.text,
                                         msg.filter, msg.k)
                .transform([](auto found) { return words_matched{std::move(found)}; }));
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
