// A request as net would make it, carried out against the test's database.
#pragma once

#include "storage/rest_line.hpp"
#include "tests/postgres/seed.hpp"
#include "wire/rest_body.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

/// As the wire reads it; `columns` by name, empty: all.
inline rest_request request_of(rest_action action, std::string target,
                               std::vector<std::string> columns = {}) {
  auto what = rest_request{};
  what.action = action;
  what.target = std::move(target);
  what.read_only = action == rest_action::read;
  if (columns.empty())
    columns = {"*"};
  for (auto& column : columns)
    what.what.columns.push_back({{std::move(column), {}}, {}, {}});
  if (action != rest_action::read)
    what.prefer.wish = result_wish::representation;
  return what;
}

inline condition filter_of(std::string column, comparison op,
                           std::vector<std::string> values, bool negated = false) {
  auto made = condition{};
  made.filter.what.column = std::move(column);
  made.filter.op = op;
  made.filter.values = std::move(values);
  made.filter.negated = negated;
  return made;
}

inline json_body body_of(std::string text) {
  auto body = wire::read_body(std::move(text));
  REQUIRE(body);
  return std::move(*body);
}

/// The answer of what was begun on a line.
inline result<rest_reply> wait_for(storage::rest_line& on,
                                   std::optional<storage::rest_line::outcome> over) {
  constexpr auto patience_ms = 20'000;
  while (!over) {
    const auto events = static_cast<short>(on.unsent() ? POLLIN | POLLOUT : POLLIN);
    auto wait = pollfd{on.socket(), events, 0};
    if (::poll(&wait, 1, patience_ms) <= 0)
      return fail(errc::timeout, "the line does not answer");
    over = on.go_on();
  }
  return std::move(*over);
}

/// Carries a request out, waiting for it.
inline result<rest_reply> perform(storage::rest_line& on, rest_request what,
                                  storage::schema_snapshot schema,
                                  storage::commits how = storage::commits::durable) {
  return wait_for(on, on.start(std::make_shared<const rest_request>(std::move(what)),
                               std::move(schema), how));
}

struct rest_database {
  storage::connection db{database(), storage::role::requests};
  std::uint64_t version = 0;
  storage::schema_snapshot schema = load();
  std::unique_ptr<storage::rest_line> line;

  [[nodiscard]] storage::schema_snapshot load(storage::schema_limits limits = {}) {
    auto read = storage::load_schema(db, ++version, limits);
    if (!read)
      FAIL(read.error().what);
    return *read;
  }
  [[nodiscard]] result<rest_reply> run(const identity& who, rest_request what) {
    what.who = who;
    if (!line || line->gone()) {
      auto opened = storage::open_rest_line(database(), {});
      if (!opened)
        FAIL(opened.error().what);
      line = std::move(*opened);
    }
    return perform(*line, std::move(what), schema);
  }
  /// The body, or "!" and the code of the refusal.
  [[nodiscard]] std::string body(const identity& who, rest_request what) {
    const auto reply = run(who, std::move(what));
    if (reply)
      return reply->body;
    return "!" + (reply.error().sql ? reply.error().sql->sqlstate
                                    : reply.error().reason + reply.error().what);
  }
};

/// SQL that is there as long as this, and the schema that shows it.
struct temporary_schema {
  std::string undo;
  temporary_schema(rest_database& of, std::string_view make, std::string unmake)
      : undo{std::move(unmake)} {
    prepare(database(), make);
    of.schema = of.load();
  }
  ~temporary_schema() { prepare(database(), undo); }
  temporary_schema(const temporary_schema&) = delete;
  temporary_schema& operator=(const temporary_schema&) = delete;
};

} // namespace jessica::test
