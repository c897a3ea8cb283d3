#include "actors/accounts.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.accounts");

namespace {

using namespace jessica;
using namespace jessica::actors;

account_worker_actor lane(test::actor_world& world, std::string name,
                          std::vector<std::string>& calls) {
  return world.own(world.sys().spawn([name, &calls](account_worker_actor::pointer)
                                         -> account_worker_actor::behavior_type {
    return {[name, &calls](const sign_up&) {
              calls.push_back(name + " sign_up");
              return session_grant{};
            },
            [name, &calls](const sign_in& msg) -> caf::result<session_grant> {
              calls.push_back(name + " sign_in");
              if (msg.password == "wrong")
                return to_caf(
                    {errc::unauthenticated, "no", "invalid_credentials", nullptr});
              return session_grant{};
            },
            [name, &calls](const refresh_session&) {
              calls.push_back(name + " refresh");
              return session_grant{};
            },
            [name, &calls](const find_user&) {
              calls.push_back(name + " user");
              return account{};
            },
            [name, &calls](const sign_out&) {
              calls.push_back(name + " sign_out");
              return done{};
            },
            [name, &calls](const change_user&) {
              calls.push_back(name + " change");
              return account{};
            },
            [name, &calls](const create_account&) {
              calls.push_back(name + " create");
              return account{};
            },
            [name, &calls](const list_accounts&) {
              calls.push_back(name + " list");
              return account_page{};
            },
            [name, &calls](const find_account&) {
              calls.push_back(name + " show");
              return account{};
            },
            [name, &calls](const change_account&) {
              calls.push_back(name + " administer");
              return account{};
            },
            [name, &calls](const delete_account&) {
              calls.push_back(name + " delete");
              return done{};
            },
            [](are_you_free) { return done{}; }};
  }));
}

} // namespace

TEST_CASE("hashing calls take the slow lane, all others the quick one") {
  auto calls = std::vector<std::string>{};
  auto world = test::actor_world{};
  auto aut = world.own(world.sys().spawn(accounts, lane(world, "slow", calls),
                                         lane(world, "quick", calls)));
  world.settle();
  CHECK(world.ask<session_grant>(aut, sign_up{}));
  CHECK(world.ask<session_grant>(aut, sign_in{}));
  CHECK(world.ask<session_grant>(aut, refresh_session{}));
  CHECK(world.ask<account>(aut, find_user{}));
  CHECK(world.ask<done>(aut, sign_out{}));
  auto change = change_user{};
  CHECK(world.ask<account>(aut, change));
  change.change.password = "another one";
  CHECK(world.ask<account>(aut, change));
  CHECK(calls == std::vector<std::string>{
                     "slow sign_up", "slow sign_in", "quick refresh", "quick user",
                     "quick sign_out", "quick change", "slow change"});
}

TEST_CASE("a refusal reaches the asker unchanged") {
  auto calls = std::vector<std::string>{};
  auto world = test::actor_world{};
  auto aut = world.own(world.sys().spawn(accounts, lane(world, "slow", calls),
                                         lane(world, "quick", calls)));
  world.settle();
  auto refused = world.ask<session_grant>(aut, sign_in{"a@b.c", "wrong", {}});
  REQUIRE(!refused);
  CHECK(refused.error().reason == "invalid_credentials");
}

TEST_SUITE_END();
