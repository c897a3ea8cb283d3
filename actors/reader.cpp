#include "actors/reader.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "storage/branches.hpp"
#include "storage/chat.hpp"
#include "storage/logins.hpp"
#include "storage/wal_visibility.hpp"

#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] result<stored_page> read_stored(storage::connection& db,
                                              const fetch_stored& msg) {
  constexpr auto patience = std::chrono::milliseconds{2000};
  if (auto visible = storage::wait_until_visible(db, msg.after, patience); !visible)
    return std::unexpected{std::move(visible.error())};
  auto found = storage::stored_on(db, msg.topic, msg.since, msg.most);
  if (!found)
    return std::unexpected{std::move(found.error())};
  auto page = stored_page{};
  for (auto& one : *found)
    page.what.push_back(
        std::make_shared<const storage::stored_broadcast>(std::move(one)));
  return page;
}

} // namespace

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
      [self](const find_ended& msg) {
        return answer(
            storage::ended_logins(*self->state.db, msg.logins)
                .transform([](auto found) { return ended_logins{std::move(found)}; }));
      },
      [self](const fetch_prompt& msg) {
        auto& state = self->state;
        return answer(storage::load_prompt(*state.db, msg.user, msg.conversation,
                                           msg.message, state.options.history,
                                           {msg.reply, msg.kept}));
      },
      [self](const change_branch& msg) {
        return answer(storage::change_branch(*self->state.db, *msg.who, msg.what));
      },
      [self](const store_broadcast& msg) -> caf::result<done> {
        auto stored = storage::store_broadcast(*self->state.db, *msg.who, msg.what);
        if (!stored)
          return to_caf(std::move(stored.error()));
        return done{};
      },
      [self](const fetch_stored& msg) {
        return answer(read_stored(*self->state.db, msg));
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
