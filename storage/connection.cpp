#include "storage/connection.hpp"

#include "storage/pipeline.hpp"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace jessica::storage {
namespace {

using clock = std::chrono::steady_clock;

// Every role has a shorter statement_timeout (migration 000), so silence for this long
// means that the server hangs or the network is cut.
constexpr auto answer_limit = std::chrono::seconds{30};

/// False: nothing happened until then.
[[nodiscard]] result<bool> wait_for(const pipeline& open, clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
  if (left.count() <= 0)
    return false;
  const auto events = static_cast<short>(open.unsent() ? POLLIN | POLLOUT : POLLIN);
  auto wait = pollfd{open.socket(), events, 0};
  const auto ready = ::poll(&wait, 1, static_cast<int>(left.count()));
  if (ready < 0 && errno != EINTR)
    return fail(errc::unavailable, "cannot wait for PostgreSQL's socket");
  return true;
}

} // namespace

struct connection::state {
  endpoint where;
  std::string role;
  commits how;
  std::optional<pipeline> open;

  [[nodiscard]] result<void> connect();
  [[nodiscard]] pipeline::outcome round_trip(std::span<const statement> statements);
  [[nodiscard]] pipeline::outcome wait();
};

result<void> connection::state::connect() {
  if (open && !open->gone())
    return {};
  open.reset();
  auto made = pipeline::open(where, role, how);
  if (!made)
    return std::unexpected{std::move(made.error())};
  open.emplace(std::move(*made));
  return {};
}

pipeline::outcome connection::state::wait() {
  const auto deadline = clock::now() + answer_limit;
  for (;;) {
    auto woken = wait_for(*open, deadline);
    if (!woken || !*woken) {
      open.reset();
      return woken ? fail(errc::timeout, "PostgreSQL does not answer")
                   : std::unexpected{std::move(woken.error())};
    }
    if (auto over = open->advance()) {
      if (open->lost())
        open.reset();
      return std::move(*over);
    }
  }
}

pipeline::outcome connection::state::round_trip(std::span<const statement> statements) {
  if (auto up = connect(); !up)
    return std::unexpected{std::move(up.error())};
  if (!open->send(statements)) {
    auto why = open->loss();
    open.reset();
    return std::unexpected{std::move(why)};
  }
  return wait();
}

connection::connection(endpoint where, std::string_view role, commits how)
    : state_(std::make_unique<state>(std::move(where), std::string{role}, how)) {}
connection::~connection() = default;
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;

void connection::forget_prepared() {
  if (state_->open)
    state_->open->forget_prepared();
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
  if (!got && pipeline::is_stale(got.error())) {
    state_->open.reset(); // rolled back: once more with a session that prepares anew
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
    (void)run({"rollback", {}});
    return got;
  }
  got->erase(got->begin());
  auto keep = judge(*got);
  const auto ended = run({keep && *keep ? "commit" : "rollback", {}});
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
