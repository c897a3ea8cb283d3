// TITLER: see title_messages.hpp.
#pragma once

#include "actors/quota_messages.hpp"
#include "actors/title_messages.hpp"
#include "domain/error.hpp"
#include "domain/price.hpp"
#include "storage/endpoint.hpp"
#include "storage/titles.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::actors {

/// What TITLER asks of the database. Blocking; one thread. As the functions of
/// storage/titles.hpp.
class title_desk {
public:
  virtual ~title_desk() = default;
  [[nodiscard]] virtual result<std::optional<storage::first_exchange>>
  load(user_id owner, conversation_id which) = 0;
  [[nodiscard]] virtual result<bool> store(user_id owner, conversation_id which,
                                           std::string_view title) = 0;
};

[[nodiscard]] std::unique_ptr<title_desk> open_title_desk(storage::endpoint database);

struct titler_deps {
  std::shared_ptr<engines::text_generator> engine;
  std::function<std::unique_ptr<title_desk>()> open_desk;
  std::size_t at_once = 4;  ///< titles that are written
  std::size_t queue = 1000; ///< conversations that wait for that; more are left out
  std::chrono::milliseconds patience{60'000}; ///< for one title
  teller_actor teller = {}; ///< counts what was used, for the conversation's owner
  std::shared_ptr<const std::vector<price>> prices = {}; ///< null: none
};

struct titler_state {
  struct writing {
    name_conversation what;
    std::string model; ///< that answers
    std::size_t prompt_bytes = 0;
    std::string text;                                ///< so far
    std::unique_ptr<engines::generation> generation; ///< last: its sink ends first
  };
  titler_deps deps;
  std::unique_ptr<title_desk> desk;
  std::deque<name_conversation> waiting;
  std::map<std::uint64_t, writing> running;
  std::uint64_t last = 0; ///< number of a title
};

titler_actor::behavior_type titler(titler_actor::stateful_pointer<titler_state> self,
                                   titler_deps deps);

} // namespace jessica::actors
