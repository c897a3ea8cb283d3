#include "actors/presence.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

TEST_SUITE_BEGIN("actors.presence");

namespace {

using namespace jessica::actors;
namespace json = boost::json;

json::object read(std::string_view text) {
  return json::parse(text).as_object();
}

json::array metas(const json::object& of, std::string_view key) {
  const auto* found = of.if_contains(key);
  return found == nullptr ? json::array{} : found->at("metas").as_array();
}

json::object joins(const json::object& diff) {
  return diff.at("joins").as_object();
}
json::object leaves(const json::object& diff) {
  return diff.at("leaves").as_object();
}

std::string ref(const json::value& meta) {
  return std::string{meta.at("phx_ref").as_string()};
}

} // namespace

TEST_CASE("an empty room has an empty state") {
  CHECK(presence{}.state() == "{}");
}

TEST_CASE("a track joins with what the client shows and a reference") {
  auto room = presence{};
  const auto diff = read(room.track(1, "ada", R"({"name":"Ada","x":[1,{}]})"));
  CHECK(leaves(diff).empty());
  REQUIRE(joins(diff).size() == 1);
  const auto shown = metas(joins(diff), "ada");
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].at("name") == "Ada");
  CHECK(shown[0].at("x") == json::parse("[1,{}]"));
  CHECK_FALSE(ref(shown[0]).empty());
  CHECK_FALSE(shown[0].as_object().contains("phx_ref_prev"));
  CHECK(metas(read(room.state()), "ada") == shown);
}

TEST_CASE("an empty object can be shown") {
  auto room = presence{};
  const auto shown = metas(joins(read(room.track(1, "ada", "{}"))), "ada");
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].as_object().size() == 1);
}

TEST_CASE("a second track of a socket replaces what it showed") {
  auto room = presence{};
  const auto first = metas(joins(read(room.track(1, "ada", R"({"n":1})"))), "ada");
  const auto diff = read(room.track(1, "ada", R"({"n":2})"));
  CHECK(metas(leaves(diff), "ada") == first);
  const auto second = metas(joins(diff), "ada");
  REQUIRE(second.size() == 1);
  CHECK(second[0].at("n") == 2);
  CHECK(second[0].at("phx_ref_prev") == first[0].at("phx_ref"));
  CHECK(ref(second[0]) != ref(first[0]));
  CHECK(metas(read(room.state()), "ada") == second);
}

TEST_CASE("two sockets of one key are two entries of it, and leave one by one") {
  auto room = presence{};
  CHECK_FALSE(room.track(1, "ada", R"({"at":"desk"})").empty());
  const auto diff = read(room.track(2, "ada", R"({"at":"phone"})"));
  CHECK(metas(joins(diff), "ada").size() == 1);
  CHECK(leaves(diff).empty());
  const auto both = metas(read(room.state()), "ada");
  REQUIRE(both.size() == 2);
  CHECK(both[0].at("at") == "desk");
  CHECK(both[1].at("at") == "phone");

  const auto gone = room.untrack(1);
  REQUIRE(gone);
  CHECK(metas(leaves(read(*gone)), "ada").at(0) == both[0]);
  CHECK(joins(read(*gone)).empty());
  CHECK(metas(read(room.state()), "ada") == json::array{both[1]});
  CHECK(room.untrack(2));
  CHECK(room.state() == "{}");
}

TEST_CASE("a socket that shows nothing cannot leave") {
  auto room = presence{};
  CHECK_FALSE(room.untrack(1));
  CHECK_FALSE(room.track(1, "ada", "{}").empty());
  CHECK_FALSE(room.untrack(2));
  CHECK(room.untrack(1));
  CHECK_FALSE(room.untrack(1));
}

TEST_CASE("who comes back is new: no reference to before") {
  auto room = presence{};
  const auto first = metas(joins(read(room.track(1, "ada", "{}"))), "ada");
  CHECK(room.untrack(1));
  const auto diff = read(room.track(1, "bob", "{}"));
  CHECK(leaves(diff).empty());
  const auto second = metas(joins(diff), "bob");
  CHECK_FALSE(second.at(0).as_object().contains("phx_ref_prev"));
  CHECK(ref(second[0]) != ref(first[0]));
}

TEST_CASE("a socket keeps its first key until it untracks") {
  auto room = presence{};
  CHECK_FALSE(room.track(1, "ada", "{}").empty());
  const auto diff = read(room.track(1, "bob", "{}"));
  CHECK(metas(joins(diff), "ada").size() == 1);
  CHECK(metas(leaves(diff), "ada").size() == 1);
  CHECK(read(room.state()).size() == 1);
}

TEST_CASE("keys may hold any text") {
  auto room = presence{};
  const auto key = std::string_view{"a \"quoted\" \\ key\n\x01 hé"};
  CHECK(metas(joins(read(room.track(1, key, "{}"))), key).size() == 1);
  CHECK_FALSE(room.track(2, "plain", "{}").empty());
  CHECK(metas(read(room.state()), key).size() == 1);
  const auto gone = room.untrack(1);
  REQUIRE(gone);
  CHECK(metas(leaves(read(*gone)), key).size() == 1);
}

TEST_CASE("no reference is given twice, in whatever room") {
  auto rooms = std::array<presence, 2>{};
  auto seen = std::set<std::string>{};
  for (auto socket = socket_number{1}; socket <= 50; ++socket)
    for (auto& room : rooms)
      seen.insert(ref(metas(joins(read(room.track(socket, "k", "{}"))), "k").at(0)));
  CHECK(seen.size() == 100);
}

TEST_SUITE_END();
