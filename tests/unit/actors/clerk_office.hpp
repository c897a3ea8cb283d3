// A CLERK whose lines are busy until a test says otherwise.
#pragma once

#include "actors/catalog.hpp"
#include "actors/clerk.hpp"
#include "actors/porter.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/scripted_line.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace jessica::test {

struct clerk_office {
  std::vector<std::shared_ptr<line_script>> lines; ///< in order of their opening
  bool closed = false;
  std::shared_ptr<silent_watch> sockets = std::make_shared<silent_watch>();
  actor_world world; // ends before what its actors refer to
  actors::catalog_actor catalog = world.own(world.sys().spawn(
      actors::catalog,
      actors::catalog_deps{
          [](std::uint64_t version) -> result<storage::schema_snapshot> {
            auto made = std::make_shared<storage::rest_schema>();
            made->version = version;
            return made;
          },
          std::make_shared<std::vector<actors::clerk_actor>>()}));
  actors::porter_actor porter = world.own(world.sys().spawn(
      actors::porter,
      actors::make_line{[this]() -> result<std::shared_ptr<storage::rest_line>> {
        if (closed)
          return fail(errc::unavailable, "no database");
        lines.push_back(std::make_shared<line_script>());
        return std::make_shared<scripted_line>(lines.back());
      }}));
  actors::clerk_actor clerk_;

  clerk_office(std::size_t line_count, std::size_t queue, bool shares_flush)
      : clerk_(world.own(world.sys().spawn(
            actors::clerk, actors::clerk_deps{"REST", porter, catalog, sockets,
                                              line_count, queue, shares_flush}))) {
    world.settle();
  }

  /// The place's line has got its answer.
  void finish(std::size_t place, storage::rest_line::outcome with = rest_reply{},
              std::uint64_t opening = 1) {
    lines.at(place)->next = std::move(with);
    world.tell(clerk_, actors::line_ready{place, opening});
  }
};

} // namespace jessica::test
