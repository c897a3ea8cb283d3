#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using strings = std::vector<std::string>;

struct tools_world {
  connection db{database(), role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);
  lease_id lease = join_node(db, "tools", std::chrono::seconds{10}).value();

  [[nodiscard]] receipt sent() {
    const auto made = enqueue(
        db, lease, std::array{turn{ada, room, false, "hello", std::nullopt, "{}"}});
    REQUIRE(made);
    REQUIRE(made->front());
    return *made->front();
  }
  void end(const receipt& of, std::vector<tool_outcome> tools, bool cancelled = false) {
    auto what = outcome{of.job, 1, cancelled, "text", {7, 11, false}};
    what.model = "m";
    what.tools = std::move(tools);
    const auto ended = finish(db, lease, std::array{what});
    REQUIRE(ended);
    REQUIRE(ended->front());
    REQUIRE(*ended->front());
  }
  [[nodiscard]] std::string of_row(const receipt& what, const std::string& column) {
    return text_of("select coalesce((" + column +
                       ")::text, 'null') from public.messages where id = $1",
                   {what.reply.str()});
  }
  [[nodiscard]] std::optional<strings> tools_for(const std::string& metadata) {
    admin("update public.conversations set metadata = $2::jsonb where id = $1",
          {room.str(), metadata});
    auto reader = connection{database(), role::requests};
    const auto read = load_prompt(reader, ada, room, asked.message, {5});
    REQUIRE(read);
    return read->only_tools;
  }

  receipt asked = sent();
};

} // namespace

TEST_SUITE("storage.tools") {
  TEST_CASE_FIXTURE(tools_world, "a reply's row keeps the tools it called") {
    end(asked, {{{"c1", "add", R"({"x":"\u0000"})"},
                 "3 \"is\" \xc3\xa4\n",
                 false,
                 std::chrono::milliseconds{12}},
                {{"c2", "sub", "{broken"}, "no", true, {}}});
    CHECK(of_row(asked, "tools -> 0 ->> 'name'") == "add");
    CHECK(of_row(asked, "tools -> 0 ->> 'arguments'") == R"({"x":"\u0000"})");
    CHECK(of_row(asked, "tools -> 0 ->> 'result'") == "3 \"is\" \xc3\xa4\n");
    CHECK(of_row(asked, "tools -> 0 -> 'failed'") == "false");
    CHECK(of_row(asked, "tools -> 0 -> 'took_ms'") == "12");
    CHECK(of_row(asked, "tools -> 1 -> 'failed'") == "true");
    CHECK(of_row(asked, "jsonb_array_length(tools)") == "2");
    CHECK(of_row(asked, "model") == "m");
    CHECK(of_row(asked, "usage ? 'tools'") == "false");
  }

  TEST_CASE_FIXTURE(tools_world, "a stopped reply keeps them, one without has none") {
    end(asked, {{{"c1", "add", "{}"}, "the reply was stopped", true, {}}}, true);
    CHECK(of_row(asked, "status") == "cancelled");
    CHECK(of_row(asked, "tools -> 0 ->> 'id'") == "c1");
    const auto plain = sent();
    end(plain, {});
    CHECK(of_row(plain, "tools") == "null");
  }

  TEST_CASE_FIXTURE(tools_world, "a reply that goes on keeps what its row has") {
    const auto going_on = [&](std::vector<tool_outcome> more) {
      const auto made = sent();
      admin("update public.messages set tools = '[{\"id\": \"c0\"}]' where id = $1",
            {made.reply.str()});
      end(made, std::move(more));
      return of_row(made, "select string_agg(x ->> 'id', ' ') from "
                          "jsonb_array_elements(tools) x");
    };
    CHECK(going_on({}) == "c0");
    CHECK(going_on({{{"c1", "add", "{}"}, "1", false, {}}}) == "c0 c1");
  }

  TEST_CASE_FIXTURE(tools_world, "a conversation may leave tools out") {
    CHECK_FALSE(tools_for("{}"));
    CHECK_FALSE(tools_for(R"({"tools": true})"));
    CHECK_FALSE(tools_for(R"({"tools": null})"));
    CHECK_FALSE(tools_for(R"({"tools": {"a": 1}})"));
    CHECK(tools_for(R"({"tools": false})") == strings{});
    CHECK(tools_for(R"({"tools": []})") == strings{});
    CHECK(tools_for(R"({"tools": ["add", "sub"]})") == strings{"add", "sub"});
    CHECK(tools_for(R"({"tools": ["add", null, 7]})") == strings{"add", "7"});
  }
}

} // namespace jessica::storage
