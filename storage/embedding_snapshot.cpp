#include "storage/embedding_snapshot.hpp"

#include "storage/session.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <string>
#include <utility>

namespace jessica::storage {
namespace {

/// Of one statement: a page of ids takes some ten milliseconds.
constexpr auto begin_reading = std::string_view{
    "set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '10min'; "
    "begin transaction isolation level repeatable read, read only"};

[[nodiscard]] bool is_snapshot_name(std::string_view name) noexcept {
  return std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || c == '-';
  });
}

} // namespace

struct embedding_snapshot::state {
  session open;
};

embedding_snapshot::embedding_snapshot(std::unique_ptr<state> made)
    : state_{std::move(made)} {}
embedding_snapshot::~embedding_snapshot() = default;
embedding_snapshot::embedding_snapshot(embedding_snapshot&&) noexcept = default;
embedding_snapshot&
embedding_snapshot::operator=(embedding_snapshot&&) noexcept = default;

result<embedding_snapshot> embedding_snapshot::open(const endpoint& where,
                                                    std::string_view exported) {
  if (!is_snapshot_name(exported))
    return fail(errc::invalid_input, "not the name of a snapshot");
  auto fresh = open_session(where, role::engine);
  if (!fresh)
    return std::unexpected{std::move(fresh.error())};
  if (auto begun = execute(fresh->get(), std::string{begin_reading}); !begun)
    return std::unexpected{std::move(begun.error())};
  if (!exported.empty()) {
    const auto take = std::format("set transaction snapshot '{}'", exported);
    if (auto taken = execute(fresh->get(), take); !taken)
      return std::unexpected{std::move(taken.error())};
  }
  return embedding_snapshot{std::make_unique<state>(std::move(*fresh))};
}

result<std::optional<memory_model>> embedding_snapshot::model() {
  return execute(state_->open.get(),
                 "select id, name, dim from jessica.searched_model()")
      .transform([](const rows& found) -> std::optional<memory_model> {
        if (found.size() == 0)
          return std::nullopt;
        return memory_model{static_cast<std::int16_t>(found.integer(0, 0)),
                            std::string{found.text(0, 1)},
                            static_cast<std::size_t>(found.integer(0, 2))};
      });
}

result<std::vector<owned_embedding>>
embedding_snapshot::owners(const memory_model& model, embedding_id after,
                           std::size_t most) {
  const auto page = std::array{parameter{std::to_string(model.id)},
                               parameter{std::to_string(after.value)},
                               parameter{std::to_string(most)}};
  const auto found =
      execute(state_->open.get(),
              "select id, user_id from jessica.embedding_owners($1, $2, $3)", page);
  if (!found)
    return std::unexpected{found.error()};
  auto all = std::vector<owned_embedding>{};
  all.reserve(static_cast<std::size_t>(found->size()));
  for (auto row = 0; row < found->size(); ++row) {
    const auto user = user_id::parse(found->text(row, 1));
    if (!user)
      return fail(errc::internal, "an embedding without a user");
    all.push_back({{found->integer(row, 0)}, *user});
  }
  return all;
}

} // namespace jessica::storage
