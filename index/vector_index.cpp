#include "index/vector_index.hpp"

#include "index/dropped_pieces.hpp"
#include "index/partition.hpp"
#include "index/snapshot_file.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <format>
#include <iterator>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

namespace jessica::index {
namespace {

result<void> check(const index_options& options) {
  if (options.dimensions == 0 || options.dimensions > vector_code::most_dimensions)
    return fail(errc::invalid_input,
                std::format("vectors have 1 to {} dimensions, not {}",
                            vector_code::most_dimensions, options.dimensions));
  if (options.model.size() > longest_model)
    return fail(errc::invalid_input, "the model's name is too long");
  return {};
}

result<void> check(std::span<const float> vector, std::size_t dimensions) {
  if (vector.size() != dimensions)
    return fail(errc::invalid_input, std::format("a vector of {} numbers, not {}",
                                                 vector.size(), dimensions));
  // Without a branch for each number: it is done for every search.
  constexpr auto exponent = std::uint32_t{0x7f80'0000};
  auto odd = false;
  for (const auto x : vector)
    odd |= (std::bit_cast<std::uint32_t>(x) & exponent) == exponent;
  if (odd)
    return fail(errc::invalid_input, "a vector with a number that is none");
  return {};
}

/// What is kept of a user.
struct holding {
  std::variant<partition, dropped_pieces> kept;
  std::size_t bytes = 0; ///< as counted in state::bytes
  /// In state::recent; its end when there are no vectors in memory to drop.
  std::list<user_id>::iterator place;
};

} // namespace

struct vector_index::state {
  index_options options;
  vector_code code;
  graph_scratch scratch;
  std::unordered_map<user_id, holding> users;
  std::list<user_id> recent;        ///< with vectors in memory; searched last: in front
  std::unordered_set<user_id> busy; ///< with work outstanding
  std::size_t bytes = 0;
  std::size_t damaged = 0;

  explicit state(index_options from)
      : options{std::move(from)}, code{options.form, options.dimensions} {}

  holding& put(const user_id& user, std::variant<partition, dropped_pieces> kept);
  holding& holding_of(const user_id& user);
  partition* readable(const user_id& user, holding& one);
  void drop(const user_id& user, holding& one);
  void recount(holding& one);
  void searched(const user_id& user, holding& one);
  void keep_to_budget(const user_id* spared);
  void note_work(const user_id& user, bool outstanding);
  void add(const embedded_piece& piece);
};

holding& vector_index::state::put(const user_id& user,
                                  std::variant<partition, dropped_pieces> kept) {
  auto& one =
      users.emplace(user, holding{std::move(kept), 0, recent.end()}).first->second;
  recount(one);
  return one;
}

holding& vector_index::state::holding_of(const user_id& user) {
  const auto found = users.find(user);
  return found != users.end() ? found->second
                              : put(user, partition{code, options.graph_from});
}

void vector_index::state::recount(holding& one) {
  const auto now = std::visit(
      [](const auto& kept) -> std::size_t { return kept.bytes(); }, one.kept);
  bytes += now - one.bytes;
  one.bytes = now;
}

/// Null: not in memory.
partition* vector_index::state::readable(const user_id& user, holding& one) {
  const auto here = std::get_if<partition>(&one.kept);
  if (here == nullptr)
    return nullptr;
  const auto is_new = !here->checked();
  if (!here->check()) {
    ++damaged;
    drop(user, one);
    return nullptr;
  }
  if (is_new && here->has_work())
    busy.insert(user); // its file may have been written before all was linked
  if (one.place == recent.end()) {
    one.place = recent.insert(recent.end(), user); // as one that was never searched
    recount(one);
  }
  return here;
}

void vector_index::state::drop(const user_id& user, holding& one) {
  auto ids = std::vector<embedding_id>{};
  std::get<partition>(one.kept).append_ids(ids);
  one.kept = dropped_pieces{std::move(ids)};
  if (one.place != recent.end())
    recent.erase(std::exchange(one.place, recent.end()));
  busy.erase(user);
  recount(one);
}

void vector_index::state::searched(const user_id& user, holding& one) {
  recent.splice(recent.begin(), recent, one.place);
  recount(one);
  keep_to_budget(&user);
}

void vector_index::state::keep_to_budget(const user_id* spared) {
  while (options.budget_bytes != 0 && bytes > options.budget_bytes && !recent.empty()) {
    const auto user = recent.back();
    if (spared != nullptr && user == *spared)
      return;
    drop(user, users.at(user));
  }
}

void vector_index::state::note_work(const user_id& user, bool outstanding) {
  if (outstanding)
    busy.insert(user);
  else
    busy.erase(user);
}

void vector_index::state::add(const embedded_piece& piece) {
  auto& one = holding_of(piece.user);
  if (const auto here = readable(piece.user, one)) {
    if (here->has(piece.id.value))
      return;
    note_work(piece.user, here->add(piece, scratch));
  } else {
    std::get<dropped_pieces>(one.kept).add(piece);
  }
  recount(one);
}

vector_index::vector_index(std::unique_ptr<state> made) : state_{std::move(made)} {}
vector_index::~vector_index() = default;
vector_index::vector_index(vector_index&&) noexcept = default;
vector_index& vector_index::operator=(vector_index&&) noexcept = default;

result<vector_index> vector_index::make(index_options options) {
  if (const auto good = check(options); !good)
    return std::unexpected{good.error()};
  return vector_index{std::make_unique<state>(std::move(options))};
}

result<void> vector_index::add(const embedded_piece& piece) {
  if (auto good = check(piece.vector, state_->options.dimensions); !good)
    return good;
  state_->add(piece);
  state_->keep_to_budget(nullptr);
  return {};
}

bool vector_index::remove(const user_id& user, embedding_id id) {
  const auto found = state_->users.find(user);
  if (found == state_->users.end())
    return false;
  auto& one = found->second;
  auto removed = false;
  if (const auto here = std::get_if<partition>(&one.kept)) {
    removed = here->has(id.value);
    if (removed)
      state_->note_work(user, here->remove(id.value, state_->scratch));
    if (here->pieces() == 0) {
      remove_user(user);
      return removed;
    }
  } else {
    auto& dropped = std::get<dropped_pieces>(one.kept);
    removed = dropped.remove(id);
    // One that is wanted stays until it is loaded: that may have been read before.
    if (dropped.ids().empty() && !dropped.wanted()) {
      remove_user(user);
      return removed;
    }
  }
  state_->recount(one);
  return removed;
}

void vector_index::remove_user(const user_id& user) {
  const auto found = state_->users.find(user);
  if (found == state_->users.end())
    return;
  auto& one = found->second;
  if (one.place != state_->recent.end())
    state_->recent.erase(one.place);
  state_->busy.erase(user);
  state_->bytes -= one.bytes;
  state_->users.erase(found);
}

result<search_result> vector_index::find(const user_id& user,
                                         std::span<const float> query,
                                         const memory_filter& filter, std::size_t k,
                                         float min_score) {
  if (const auto good = check(query, state_->options.dimensions); !good)
    return std::unexpected{good.error()};
  const auto found = state_->users.find(user);
  if (found == state_->users.end() || k == 0)
    return search_result{std::in_place};
  auto& one = found->second;
  const auto here = state_->readable(user, one);
  if (here == nullptr) {
    std::get<dropped_pieces>(one.kept).want();
    return search_result{};
  }
  const auto coded = state_->code.query(query);
  const auto passing = piece_filter{filter};
  auto hits = here->find({coded, passing, k, min_score, state_->options.always_walk},
                         state_->scratch);
  state_->searched(user, one);
  return search_result{std::move(hits)};
}

result<void> vector_index::load(const user_id& user,
                                std::span<const embedded_piece> pieces) {
  for (const auto& piece : pieces)
    if (auto good = check(piece.vector, state_->options.dimensions); !good)
      return good;
  if (pieces.empty() && !state_->users.contains(user))
    return {};
  auto& one = state_->holding_of(user);
  if (const auto dropped = std::get_if<dropped_pieces>(&one.kept)) {
    const auto merged = dropped->merged(pieces);
    if (merged.empty()) {
      remove_user(user);
      return {};
    }
    one.kept = partition{state_->code, state_->options.graph_from};
    auto& here = std::get<partition>(one.kept);
    for (const auto& piece : merged)
      here.append(piece);
    state_->note_work(user, here.work(state_->scratch));
  } else {
    for (const auto& piece : pieces)
      state_->add(piece);
  }
  if (state_->readable(user, one) != nullptr)
    state_->searched(user, one);
  return {};
}

bool vector_index::awaits(const user_id& user) const noexcept {
  const auto found = state_->users.find(user);
  if (found == state_->users.end())
    return false;
  const auto dropped = std::get_if<dropped_pieces>(&found->second.kept);
  return dropped != nullptr && dropped->wanted();
}

void vector_index::give_up(const user_id& user) {
  if (!awaits(user))
    return;
  auto& one = state_->users.at(user);
  auto& dropped = std::get<dropped_pieces>(one.kept);
  dropped.give_up();
  if (dropped.ids().empty())
    remove_user(user);
  else
    state_->recount(one);
}

bool vector_index::work() {
  if (state_->busy.empty())
    return false;
  const auto user = *state_->busy.begin();
  auto& one = state_->users.at(user);
  state_->note_work(user, std::get<partition>(one.kept).work(state_->scratch));
  state_->recount(one);
  return !state_->busy.empty();
}

index_size vector_index::size() const noexcept {
  auto sum = index_size{.users = state_->users.size(),
                        .bytes = state_->bytes,
                        .damaged_users = state_->damaged};
  for (const auto& [user, one] : state_->users) {
    const auto dropped = std::get_if<dropped_pieces>(&one.kept);
    sum.dropped_users += dropped != nullptr ? 1U : 0U;
    sum.pieces += dropped != nullptr ? dropped->ids().size()
                                     : std::get<partition>(one.kept).pieces();
  }
  return sum;
}

std::vector<embedding_id> vector_index::ids() const {
  auto all = std::vector<embedding_id>{};
  for (const auto& [user, one] : state_->users)
    if (const auto dropped = std::get_if<dropped_pieces>(&one.kept))
      all.insert(all.end(), dropped->ids().begin(), dropped->ids().end());
    else
      std::get<partition>(one.kept).append_ids(all);
  std::ranges::sort(all);
  return all;
}

std::vector<owned_embedding> vector_index::owned() const {
  auto all = std::vector<owned_embedding>{};
  auto ids = std::vector<embedding_id>{};
  for (const auto& [user, one] : state_->users) {
    ids.clear();
    if (const auto dropped = std::get_if<dropped_pieces>(&one.kept))
      ids = dropped->ids();
    else
      std::get<partition>(one.kept).append_ids(ids);
    for (const auto id : ids)
      all.push_back({id, user});
  }
  std::ranges::sort(all);
  return all;
}

std::optional<std::vector<float>> vector_index::vector_of(const user_id& user,
                                                          embedding_id id) const {
  const auto found = state_->users.find(user);
  if (found == state_->users.end())
    return std::nullopt;
  const auto here = state_->readable(user, found->second);
  return here != nullptr ? here->vector_of(id.value) : std::nullopt;
}

class vector_index::snapshot {
public:
  explicit snapshot(frozen_index from) : frozen{std::move(from)} {}
  const frozen_index frozen;
};

std::shared_ptr<const vector_index::snapshot> vector_index::freeze() const {
  auto frozen = frozen_index{
      state_->options.model, state_->options.form, state_->options.dimensions, {}};
  frozen.users.reserve(state_->users.size());
  for (const auto& [user, one] : state_->users)
    if (const auto here = std::get_if<partition>(&one.kept))
      frozen.users.push_back({user, here->freeze()});
    else
      frozen.users.push_back({user, std::get<dropped_pieces>(one.kept).ids()});
  return std::make_shared<const snapshot>(std::move(frozen));
}

result<void> vector_index::write(const snapshot& state,
                                 const std::filesystem::path& file) {
  return write_snapshot(state.frozen, file);
}

result<vector_index> vector_index::open(index_options options,
                                        const std::filesystem::path& file) {
  auto made = make(std::move(options));
  if (!made)
    return made;
  auto users = open_snapshot(made->state_->options, made->state_->code, file);
  if (!users)
    return std::unexpected{std::move(users.error())};
  for (auto& [user, kept] : *users)
    if (const auto here = std::get_if<partition>(&kept))
      made->state_->put(user, std::move(*here));
    else
      made->state_->put(user, dropped_pieces{std::move(std::get<1>(kept))});
  return made;
}

} // namespace jessica::index
