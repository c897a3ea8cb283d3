#include "storage/connection.hpp"

#include "storage/session.hpp"
#include "storage/session_wait.hpp"
#include "storage/statement_cache.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace jessica::storage {
namespace {

using clock = std::chrono::steady_clock;

// Statements a session keeps prepared: ours are a few dozen, the rest are the shapes of
// REST queries that come most.
constexpr auto prepared_limit = std::size_t{256};
// Every role has a shorter statement_timeout (migration 000), so silence for this long
// means that the server hangs or the network is cut.
constexpr auto answer_limit = std::chrono::seconds{30};

// What each answer of a round trip belongs to.
struct expected_answer {
  enum class kind : std::uint8_t { closed, parsed, rows };
  kind what;
  std::size_t statement = 0;
};

result<void> check_text(std::span<const statement> statements) {
  for (const auto& one : statements) {
    for (const auto& value : one.parameters) {
      if (value && value->find('\0') != std::string::npos) {
        return fail(errc::invalid_input, "text with a zero byte cannot be stored");
      }
    }
  }
  return {};
}

// A table that a prepared statement reads has changed its shape, or somebody dropped
// our statements. Both show before anything is stored.
bool prepared_is_stale(const error& why) {
  return why.sql && (why.sql->sqlstate == "26000" ||
                     (why.sql->sqlstate == "0A000" &&
                      why.sql->message.starts_with("cached plan must not change")));
}

} // namespace

struct connection::state {
  endpoint where;
  std::string role;
  commits how;
  session open;
  statement_cache prepared{prepared_limit};

  result<void> connect();
  void drop() noexcept;
  result<void> finish_transaction(std::string_view word);
  result<std::vector<rows>> round_trip(std::span<const statement> statements);
  bool send(std::span<const statement> statements, std::vector<expected_answer>& plan);
  bool send_one(const statement& one, std::size_t index,
                std::vector<expected_answer>& plan);
  result<std::vector<rows>> receive(std::span<const statement> statements,
                                    std::span<const expected_answer> plan);
  void forget_unparsed(std::span<const statement> statements,
                       std::span<const expected_answer> plan, std::size_t parsed);
};

result<void> connection::state::connect() {
  if (open != nullptr && !gone_while_idle(open.get())) {
    return {};
  }
  drop();
  auto made = open_session(where, role);
  if (!made) {
    return std::unexpected{std::move(made.error())};
  }
  if (how == commits::lazy) {
    if (auto set = execute(made->get(), "set synchronous_commit = off"); !set) {
      return std::unexpected{std::move(set.error())};
    }
  }
  // Not blocking: every wait is ours, and has a limit.
  if (PQsetnonblocking(made->get(), 1) != 0 || PQenterPipelineMode(made->get()) == 0) {
    return fail(errc::unavailable, message_of(made->get()));
  }
  open = std::move(*made);
  return {};
}

void connection::state::drop() noexcept {
  open.reset();
  prepared.clear();
}

bool connection::state::send_one(const statement& one, std::size_t index,
                                 std::vector<expected_answer>& plan) {
  using kind = expected_answer::kind;
  const auto entry = prepared.use(one.sql);
  const auto* const name = entry.name.c_str();
  if (entry.fresh) {
    if (PQsendPrepare(open.get(), name, one.sql.c_str(), 0, nullptr) == 0) {
      return false;
    }
    plan.push_back({kind::parsed, index});
  }
  auto values = std::vector<const char*>{};
  values.reserve(one.parameters.size());
  for (const auto& value : one.parameters) {
    values.push_back(value ? value->c_str() : nullptr);
  }
  plan.push_back({kind::rows, index});
  return PQsendQueryPrepared(open.get(), name, static_cast<int>(values.size()),
                             values.data(), nullptr, nullptr, 0) != 0;
}

bool connection::state::send(std::span<const statement> statements,
                             std::vector<expected_answer>& plan) {
  // First in the pipeline, so that a failing statement cannot skip them.
  for (const auto& name : prepared.take_evicted()) {
    if (PQsendClosePrepared(open.get(), name.c_str()) == 0) {
      return false;
    }
    plan.push_back({expected_answer::kind::closed});
  }
  for (auto i = std::size_t{0}; i < statements.size(); ++i) {
    if (!send_one(statements[i], i, plan)) {
      return false;
    }
  }
  return PQpipelineSync(open.get()) != 0;
}

void connection::state::forget_unparsed(std::span<const statement> statements,
                                        std::span<const expected_answer> plan,
                                        std::size_t parsed) {
  for (const auto& skipped : plan.subspan(std::min(parsed, plan.size()))) {
    if (skipped.what == expected_answer::kind::parsed) {
      prepared.forget(statements[skipped.statement].sql);
    }
  }
}

result<std::vector<rows>>
connection::state::receive(std::span<const statement> statements,
                           std::span<const expected_answer> plan) {
  const auto deadline = clock::now() + answer_limit;
  auto all = std::vector<rows>(statements.size());
  auto first_error = std::optional<error>{};
  // One more than the plan: an error of the commit comes as an answer of its own.
  auto at = std::size_t{0};   // the command whose answers come now
  auto good = std::size_t{0}; // commands that succeeded, from the first
  for (;;) {
    auto got = next_answer(open.get(), deadline);
    if (!got) {
      drop();
      return std::unexpected{first_error ? std::move(*first_error)
                                         : std::move(got.error())};
    }
    if (*got == nullptr) {
      if (PQstatus(open.get()) != CONNECTION_OK || ++at > plan.size() + 1) {
        auto why = first_error ? std::move(*first_error) : lost(open.get());
        drop();
        return std::unexpected{std::move(why)};
      }
      continue;
    }
    switch (PQresultStatus(got->get())) {
    case PGRES_PIPELINE_SYNC:
      if (first_error) {
        forget_unparsed(statements, plan, good);
        return std::unexpected{std::move(*first_error)};
      }
      return all;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      good = at + 1;
      if (at < plan.size() && plan[at].what == expected_answer::kind::rows) {
        all[plan[at].statement] = rows{got->release()};
      }
      break;
    case PGRES_PIPELINE_ABORTED:
      break;
    case PGRES_FATAL_ERROR:
      if (!first_error) {
        first_error = error_of(open.get(), got->get());
      }
      break;
    default: // COPY: the stream would need an answer that we do not give
      drop();
      return fail(errc::invalid_input, "this statement cannot be pipelined");
    }
  }
}

result<std::vector<rows>>
connection::state::round_trip(std::span<const statement> statements) {
  if (auto up = connect(); !up) {
    return std::unexpected{std::move(up.error())};
  }
  auto plan = std::vector<expected_answer>{};
  plan.reserve(statements.size() * 2);
  if (!send(statements, plan)) {
    auto why = lost(open.get());
    drop();
    return std::unexpected{std::move(why)};
  }
  return receive(statements, plan);
}

/// Never on a session that is newer than the transaction.
result<void> connection::state::finish_transaction(std::string_view word) {
  if (open == nullptr) {
    return fail(errc::unavailable, "the connection to PostgreSQL was lost");
  }
  const auto last = statement{std::string{word}, {}};
  auto plan = std::vector<expected_answer>{};
  if (!send(std::span{&last, 1}, plan)) {
    auto why = lost(open.get());
    drop();
    return std::unexpected{std::move(why)};
  }
  return receive(std::span{&last, 1}, plan).transform([](auto&&) {});
}

connection::connection(endpoint where, std::string_view role, commits how)
    : state_(std::make_unique<state>(std::move(where), std::string{role}, how)) {}
connection::~connection() = default;
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;

void connection::forget_prepared() {
  state_->prepared.give_up();
}

result<void> connection::ensure() {
  return state_->connect();
}

result<std::vector<rows>> connection::run(std::span<const statement> statements) {
  if (auto fine = check_text(statements); !fine) {
    return std::unexpected{std::move(fine.error())};
  }
  if (statements.empty()) {
    return std::vector<rows>{};
  }
  auto got = state_->round_trip(statements);
  if (!got && prepared_is_stale(got.error())) {
    state_->drop(); // rolled back: once more with a session that prepares anew
    got = state_->round_trip(statements);
  }
  return got;
}

result<std::vector<rows>> connection::run_judged(
    std::span<const statement> statements,
    const std::function<result<bool>(const std::vector<rows>&)>& judge) {
  auto all = std::vector<statement>{{"begin", {}}};
  all.insert(all.end(), statements.begin(), statements.end());
  auto got = run(all);
  if (!got) { // the session may have ended, and the transaction with it
    (void)state_->finish_transaction("rollback");
    return got;
  }
  got->erase(got->begin());
  auto keep = judge(*got);
  const auto ended = state_->finish_transaction(keep && *keep ? "commit" : "rollback");
  if (!keep)
    return std::unexpected{std::move(keep.error())};
  if (!ended)
    return std::unexpected{ended.error()};
  return got;
}

result<rows> connection::run(const statement& one) {
  return run(std::span{&one, 1}).transform([](std::vector<rows>&& all) {
    return std::move(all.front());
  });
}

} // namespace jessica::storage
