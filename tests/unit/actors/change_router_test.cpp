#include "actors/change_router.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace jessica;
using namespace jessica::actors;
using storage::field;
using storage::field_state;
using rule = storage::realtime_policy::rule;

[[nodiscard]] field text(std::string_view value) {
  return {field_state::text, value};
}

/// A published table notes (id, owner, body), judged by `how` for signed-in users.
struct routing {
  change_router router{1'048'576};
  std::shared_ptr<storage::table_shape> shape =
      std::make_shared<storage::table_shape>();
  std::vector<std::string> asked; ///< of row security, by claims
  std::vector<bool> answers;      ///< what it says, in turn
  std::vector<storage::parameter> current;
  user_id ada = user_id::make();
  user_id bob = user_id::make();

  explicit routing(rule how = rule::owner) {
    shape->oid = 7;
    shape->schema = "public";
    shape->name = "notes";
    shape->columns = {{"id", 23, true}, {"owner", 2950, true}, {"body", 25, false}};
    router.set_tables({table(how)});
  }

  static storage::realtime_table table(rule how) {
    auto made = storage::realtime_table{};
    made.oid = 7;
    made.schema = "public";
    made.name = "notes";
    made.columns = {
        {"id", "int4", true}, {"owner", "uuid", false}, {"body", "text", false}};
    made.authenticated = {how, "owner", {"id", "owner", "body"}};
    return made;
  }

  struct ear {
    std::shared_ptr<test::recorded_outbox> out =
        std::make_shared<test::recorded_outbox>();
    std::string problem;
    /// "INSERT [1]" and so on, of each change heard.
    [[nodiscard]] std::string heard() const {
      auto words = std::string{};
      for (const auto& message : out->messages()) {
        const auto& payload = message.at("payload").as_object();
        words += payload.contains("data")
                     ? std::string{payload.at("data").at("type").as_string()} + ' ' +
                           boost::json::serialize(payload.at("ids")) + ' '
                     : std::string{message.at("event").as_string()} + ' ';
      }
      return words;
    }
    [[nodiscard]] boost::json::object data() const {
      return out->messages().back().at("payload").at("data").as_object();
    }
  };

  ear listen(user_id whose, std::vector<wire::change_binding> bindings = {{}},
             std::uint64_t socket = 1, db_role role = db_role::authenticated) {
    auto made = ear{};
    auto who = std::make_shared<identity>();
    who->role = role;
    who->user = whose;
    who->claims = whose.str();
    made.problem = router.subscribe({socket, made.out, wire::serializer::v1,
                                     "realtime:room", "1", who, std::move(bindings)});
    return made;
  }

  std::size_t insert(user_id owner, std::string_view body = "hello") {
    const auto id = owner.str();
    return route({storage::change_kind::insert, shape,
                  std::vector{text("1"), text(id), text(body)}});
  }
  std::size_t update(user_id owner, field body) {
    const auto id = owner.str();
    return route(
        {storage::change_kind::update, shape, std::vector{text("1"), text(id), body}});
  }
  std::size_t give(user_id from, user_id to) {
    const auto before = from.str();
    const auto now = to.str();
    return route({storage::change_kind::update, shape,
                  std::vector{text("1"), text(now), text("x")}, storage::old_row::key,
                  std::vector{text("1"), text(before), field{}}});
  }
  std::size_t remove(user_id owner) {
    const auto id = owner.str();
    return route({storage::change_kind::remove,
                  shape,
                  {},
                  storage::old_row::key,
                  std::vector{text("1"), text(id), field{}}});
  }
  std::size_t route(const storage::row_change& change) {
    return router.route(change, {},
                        {[this](const auto&, const auto& key, auto whom) {
                           REQUIRE(key.size() == 1);
                           for (const auto& who : whom)
                             asked.push_back(who->claims);
                           return answers;
                         },
                         [this](const auto&, const auto&, auto) { return current; }});
  }
};

[[nodiscard]] wire::change_binding on(std::string table) {
  auto made = wire::change_binding{};
  made.table = std::move(table);
  return made;
}

} // namespace

TEST_SUITE("actors.change_router") {
  TEST_CASE("a row that belongs to somebody is told to nobody else") {
    auto r = routing{};
    const auto hers = r.listen(r.ada, {{}}, 1);
    const auto his = r.listen(r.bob, {{}}, 2);
    CHECK(r.insert(r.ada) == 1);
    CHECK(r.update(r.ada, text("new")) == 1);
    CHECK(r.remove(r.ada) == 1);
    CHECK(hers.heard() == "INSERT [1] UPDATE [1] DELETE [1] ");
    CHECK(his.heard().empty());
  }

  TEST_CASE("a deleted row shows its primary key alone") {
    auto r = routing{};
    const auto hers = r.listen(r.ada);
    r.remove(r.ada);
    CHECK(boost::json::serialize(hers.data().at("old_record")) == R"({"id":1})");
  }

  TEST_CASE("a row that changes hands goes to its new owner, without its past") {
    auto r = routing{};
    const auto hers = r.listen(r.ada, {{}}, 1);
    const auto his = r.listen(r.bob, {{}}, 2);
    r.give(r.ada, r.bob);
    CHECK(hers.heard().empty());
    CHECK(his.heard() == "UPDATE [1] ");
    CHECK(boost::json::serialize(his.data().at("old_record")) == R"({"id":1})");
  }

  TEST_CASE("anonymous and foreign roles see nothing of an owned table") {
    auto r = routing{};
    const auto anon = r.listen({}, {{}}, 1, db_role::anon);
    r.insert(r.ada);
    CHECK(anon.heard().empty());
    CHECK(anon.problem.empty()); // nothing wrong with asking
  }

  TEST_CASE("the service role sees every row") {
    auto r = routing{};
    const auto service = r.listen({}, {{}}, 1, db_role::service_role);
    r.insert(r.ada);
    r.insert(r.bob);
    CHECK(service.heard() == "INSERT [1] INSERT [1] ");
  }

  TEST_CASE("an open table is told to all, a closed one to none") {
    for (const auto how : {rule::open, rule::none}) {
      auto r = routing{how};
      const auto hers = r.listen(r.ada);
      r.insert(r.bob);
      CHECK(hers.heard() == (how == rule::open ? "INSERT [1] " : ""));
    }
  }

  TEST_CASE("what is not recognised is asked of row security, once for equal claims") {
    auto r = routing{rule::sql};
    const auto first = r.listen(r.ada, {{}}, 1);
    const auto second = r.listen(r.ada, {{}}, 2);
    const auto third = r.listen(r.bob, {{}}, 3);
    r.answers = {true, false};
    CHECK(r.insert(r.ada) == 2);
    CHECK(r.asked == std::vector{r.ada.str(), r.bob.str()});
    CHECK(first.heard() == "INSERT [1] ");
    CHECK(second.heard() == "INSERT [1] ");
    CHECK(third.heard().empty());
    r.remove(r.ada); // cannot be asked: nobody hears
    CHECK(first.heard() == "INSERT [1] ");
  }

  TEST_CASE("row security that cannot be asked shows nothing") {
    auto r = routing{rule::sql};
    const auto hers = r.listen(r.ada);
    r.answers = {};
    CHECK(r.insert(r.ada) == 0);
    CHECK(hers.heard().empty());
  }

  TEST_CASE("one frame names all bindings that match") {
    auto r = routing{rule::open};
    auto inserts = on("notes");
    inserts.event = wire::change_type::insert;
    auto bodies = on("notes");
    bodies.filter = "body=eq.yes";
    const auto hers = r.listen(r.ada, {inserts, bodies});
    r.insert(r.ada, "yes");
    r.insert(r.ada, "no");
    r.update(r.ada, text("yes"));
    r.update(r.ada, text("no"));
    CHECK(hers.heard() == "INSERT [1,2] INSERT [1] UPDATE [2] ");
  }

  TEST_CASE("a value the log left out is read, or left out here too") {
    auto r = routing{rule::open};
    const auto hers = r.listen(r.ada);
    r.current = {"a big one"};
    r.update(r.ada, field{field_state::unchanged, {}});
    CHECK(hers.data().at("record").at("body") == "a big one");
    r.current = {};
    r.update(r.ada, field{field_state::unchanged, {}});
    CHECK(!hers.data().at("record").as_object().contains("body"));
  }

  TEST_CASE("bindings that fit nothing are told, and the others work") {
    auto r = routing{rule::open};
    auto odd = on("notes");
    odd.filter = "nothing=eq.1";
    CHECK(r.listen(r.ada, {on("elsewhere")}).problem.contains("table: elsewhere"));
    auto both = r.listen(r.ada, {odd, on("notes")});
    CHECK(both.problem.starts_with("Unable to subscribe"));
    r.insert(r.ada);
    CHECK(both.heard() == "INSERT [2] ");
  }

  TEST_CASE(
      "columns the role may not see are not shown, nor selected, nor filtered by") {
    auto r = routing{rule::open};
    auto narrow = routing::table(rule::open);
    narrow.authenticated.columns = {"id"};
    r.router.set_tables({narrow});
    auto wanted = on("notes");
    wanted.select = {"body"};
    CHECK(!r.listen(r.ada, {wanted}).problem.empty());
    auto filtered = on("notes");
    filtered.filter = "body=eq.x";
    CHECK(!r.listen(r.ada, {filtered}).problem.empty());
    const auto hers = r.listen(r.ada);
    r.insert(r.ada);
    CHECK(boost::json::serialize(hers.data().at("record")) == R"({"id":1})");
  }

  TEST_CASE("new rules are obeyed by those who listen already") {
    auto r = routing{rule::open};
    const auto hers = r.listen(r.ada);
    r.router.set_tables({routing::table(rule::none)});
    CHECK(r.insert(r.ada) == 0);
    r.router.set_tables({});
    CHECK(r.insert(r.ada) == 0);
    r.router.set_tables({routing::table(rule::owner)});
    CHECK(r.insert(r.ada) == 1);
    CHECK(hers.heard() == "INSERT [1] ");
  }

  TEST_CASE("who leaves hears no more, and only of the join it names") {
    auto r = routing{rule::open};
    const auto hers = r.listen(r.ada);
    r.router.unsubscribe(1, "realtime:room", "another join");
    r.router.unsubscribe(2, "realtime:room", "1");
    CHECK(r.insert(r.ada) == 1);
    r.router.unsubscribe(1, "realtime:room", "1");
    CHECK(r.insert(r.ada) == 0);
    CHECK(r.router.subscribers() == 0);
  }

  TEST_CASE("a second subscription of a channel replaces the first") {
    auto r = routing{};
    const auto before = r.listen(r.ada);
    const auto after = r.listen(r.bob);
    r.insert(r.ada);
    r.insert(r.bob);
    CHECK(before.heard().empty());
    CHECK(after.heard() == "INSERT [1] ");
  }

  TEST_CASE("a feed that broke off sends everybody back to join") {
    auto r = routing{rule::open};
    const auto hers = r.listen(r.ada);
    r.router.drop_all("gone");
    CHECK(hers.heard() == "phx_error ");
    CHECK(r.insert(r.ada) == 0);
  }

  TEST_CASE("who follows a table without a primary key is told that it has none") {
    for (const auto how : {rule::open, rule::owner, rule::sql}) {
      auto r = routing{how};
      auto keyless = routing::table(how);
      for (auto& column : keyless.columns)
        column.key = false;
      r.router.set_tables({keyless});
      const auto hers = r.listen(r.ada, {{}}, 1);
      CHECK(r.insert(r.ada) == 1);
      const auto data = hers.data();
      CHECK(data.at("type") == "INSERT");
      CHECK(data.at("errors") ==
            boost::json::array{"Error 400: Bad Request, no primary key"});
      CHECK_FALSE(data.contains("record"));
      CHECK(r.asked.empty()); // another row could have answered
    }
  }

  TEST_CASE("without a key a filter tells nothing of rows that may not be seen") {
    auto r = routing{rule::sql};
    auto keyless = routing::table(rule::sql);
    keyless.columns[0].key = false;
    r.router.set_tables({keyless});
    auto guess = on("notes");
    guess.filter = "body=eq.secret";
    auto updates = on("notes");
    updates.event = wire::change_type::update;
    const auto guessing = r.listen(r.bob, {guess, updates}, 1);
    r.insert(r.ada, "secret");
    r.insert(r.ada, "other");
    CHECK(guessing.heard() == "INSERT [1] INSERT [1] ");
  }

  TEST_CASE("a subscriber whose socket is found closed is forgotten") {
    for (const auto how : {rule::open, rule::owner}) {
      auto r = routing{how};
      const auto dead = r.listen(r.ada, {{}}, 1);
      const auto alive = r.listen(r.ada, {{}}, 2);
      dead.out->open = false;
      CHECK(r.insert(r.ada) == 1);
      CHECK(r.router.subscribers() == 1);
      dead.out->open = true;
      CHECK(r.insert(r.ada) == 1);
      CHECK(dead.heard().empty());
      CHECK(alive.heard() == "INSERT [1] INSERT [1] ");
    }
  }
}
