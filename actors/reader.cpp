#include "actors/reader.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "storage/chat.hpp"
#include "storage/logins.hpp"
#include "storage/policy.hpp"

#include <utility>

namespace jessica::actors {
reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   reader_options options) {
  guard(self, "READER");
  self->state.db =
      std::make_unique<storage::connection>(options.database, storage::role::requests);
  self->state.options = std::move(options);
  return {
      [self](const stop_reply& msg) {
        return answer(storage::stop_reply(*self->state.db, *msg.who, msg.reply));
      },
      [self](const probe_topic& msg) {
        auto& state = self->state;
        const auto asked = storage::topic_question{&msg.who, msg.topic};
        return answer(std::move(state.judge.rights_of(*state.db, {&asked, 1}).front()));
      },
      [self](const find_ended& msg) {
        return answer(
            storage::ended_logins(*self->state.db, msg.logins)
                .transform([](auto found) { return ended_logins{std::move(found)}; }));
      },
      [self](const fetch_prompt& msg) {
        auto& state = self->state;
        return answer(storage::load_prompt(*state.db, msg.user, msg.conversation,
                                           msg.message, state.options.history_turns));
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
