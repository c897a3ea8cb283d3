#include "net/functions_openapi.hpp"
#include "net/routes.hpp"
#include "route_world.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace jessica;
using test::field;

constexpr auto prefix = std::string_view{"/functions/v1/"};

[[nodiscard]] std::string upper(std::string_view text) {
  auto out = std::string{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

/// Is it in a body that is about the field `but`? Of those that exclude each other it
/// is that one, else the first.
[[nodiscard]] bool chosen(const net::described_function& what,
                          const net::described_field& one, std::string_view but) {
  if (!one.choice)
    return true;
  const auto about = std::ranges::find(what.takes, but, &net::described_field::name);
  const auto first = std::ranges::find(what.takes, true, &net::described_field::choice);
  return one.name ==
         (about != what.takes.end() && about->choice ? about->name : first->name);
}

/// The function's body with all its examples; `but` is left out or, with a value,
/// replaced.
[[nodiscard]] std::string body_of(const net::described_function& what,
                                  std::string_view but = {},
                                  std::string_view value = {}) {
  auto text = std::string{"{"};
  for (const auto& one : what.takes) {
    if ((one.name == but && value.empty()) || !chosen(what, one, but))
      continue;
    text += text.size() > 1 ? "," : "";
    text.append("\"").append(one.name).append("\":");
    text += one.name == but ? value : one.example;
  }
  return text + "}";
}

/// The rows of all tables that are functions.
[[nodiscard]] std::vector<net::route> function_rows() {
  auto rows = std::vector<net::route>{};
  for (const auto& table : net::route_tables())
    for (const auto& row : table)
      if (row.path.starts_with(prefix))
        rows.push_back(row);
  return rows;
}

struct described_world : test::route_world {
  described_world() {
    finding_ended.say = [](const auto&) -> result<actors::ended_logins> {
      return actors::ended_logins{};
    };
    enqueueing.say = [](const auto&) -> result<receipt> { return receipt{}; };
    stopping.say = [](const auto&) -> result<stop_receipt> { return stop_receipt{}; };
    branching.say = [](const auto&) -> result<receipt> { return receipt{}; };
    searching.say = [](const auto&) -> result<actors::memories_found> {
      return actors::memories_found{};
    };
    claiming.say = [](const auto&) -> result<actors::queue_report> {
      return actors::queue_report{};
    };
    embedding.say = [](const auto&) -> result<actors::texts_embedded> {
      return actors::texts_embedded{{{1.0F}}};
    };
    embedding_one.say = [](const auto&) -> result<actors::message_embedded> {
      return actors::message_embedded{1, {1}};
    };
  }
  net::http_response invoke(const net::described_function& what, std::string body) {
    auto asked = as_user(upper(what.method), std::string{prefix}.append(what.name),
                         std::move(body));
    if (what.service)
      asked.headers = {{"apikey", "sb_secret_test"}};
    return ask(std::move(asked));
  }
};

} // namespace

TEST_SUITE("net.functions_openapi") {

  TEST_CASE_FIXTURE(described_world, "the document is JSON and names every function") {
    const auto answer = ask(as_anon("GET", "/functions/v1/"));
    REQUIRE(answer.status == 200);
    const auto document = boost::json::parse(answer.body).as_object();
    CHECK(document.at("openapi").as_string().starts_with("3."));
    const auto& paths = document.at("paths").as_object();
    CHECK(paths.size() == net::described_functions().size());
    CHECK(ask(as_anon("GET", "/functions/v1")).body == answer.body);
    CHECK(ask(bare("GET", "/functions/v1/")).status == 401);
  }

  TEST_CASE("each route is described, and each description is routed") {
    const auto routed = [](std::string_view method, std::string_view name) {
      return std::ranges::any_of(function_rows(), [&](const net::route& row) {
        return row.path == std::string{prefix}.append(name) &&
               (row.method == "*" || row.method == upper(method));
      });
    };
    for (const auto& one : net::described_functions())
      CHECK_MESSAGE(routed(one.method, one.name), one.name);
    for (const auto& row : function_rows()) {
      const auto name = row.path.substr(prefix.size());
      if (name.empty() || name == "*")
        continue;
      CHECK_MESSAGE(std::ranges::contains(net::described_functions(), name,
                                          [](const auto& one) { return one.name; }),
                    row.path);
    }
  }

  TEST_CASE_FIXTURE(described_world, "who may call is who the route lets in") {
    for (const auto& one : net::described_functions())
      for (const auto& row : function_rows())
        if (row.path == std::string{prefix}.append(one.name))
          CHECK((row.allowed == net::caller::service) == one.service);
  }

  TEST_CASE_FIXTURE(described_world, "the readers take the fields that are described") {
    for (const auto& one : net::described_functions()) {
      const auto good = invoke(one, body_of(one));
      CHECK_MESSAGE(std::to_string(good.status) == one.status, one.name);
      for (const auto& what : one.takes) {
        const auto wrong = invoke(one, body_of(one, what.name, "[true]"));
        CHECK_MESSAGE(wrong.status == 400, what.name);
        CHECK_MESSAGE(field(wrong, "message").starts_with(what.name), what.name);
        const auto without = invoke(one, body_of(one, what.name));
        CHECK_MESSAGE((without.status == 400) == (what.required || what.choice),
                      what.name);
      }
    }
  }

  TEST_CASE_FIXTURE(described_world, "an unknown function is a 404 in JSON") {
    for (const auto* name : {"summarize", "edit", "x"}) {
      const auto answer = ask(as_user("POST", std::string{prefix} + name, "{}"));
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "NOT_FOUND");
      CHECK(test::header(answer, "x-relay-error").empty());
    }
  }
}
