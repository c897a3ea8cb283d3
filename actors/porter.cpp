#include "actors/porter.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"

#include <utility>

namespace jessica::actors {

make_line lines_to(storage::endpoint database, storage::rest_limits limits) {
  return [database = std::move(database), limits] {
    return storage::open_rest_line(database, limits).transform([](auto&& made) {
      return std::shared_ptr<storage::rest_line>{std::move(made)};
    });
  };
}

porter_actor::behavior_type porter(porter_actor::pointer self, make_line open) {
  guard(self, "PORTER");
  return {
      [open = std::move(open)](open_line) -> caf::result<line_opened> {
        auto made = open();
        if (!made)
          return to_caf(std::move(made.error()));
        return line_opened{std::move(*made)};
      },
      [](const stop_line& what) {
        what.stop();
        return done{};
      },
  };
}

} // namespace jessica::actors
