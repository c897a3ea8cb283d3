// Vectors of many users in memory, each user's apart: exact for few, a graph (HNSW) for
// many; a file for a quick start.
#pragma once

#include "domain/error.hpp"
#include "domain/memory.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jessica::index {

enum class vector_form : std::uint8_t { float32, int8 };

struct index_options {
  std::string model = {};     ///< a file of another model is not taken
  std::size_t dimensions = 0; ///< of every vector
  vector_form form = vector_form::float32;
  /// A user's pieces become a graph when there are so many. With fewer, looking at all
  /// sketches is quicker than a walk, and takes no linking.
  std::size_t graph_from = 100'000;
  /// Memory of all vectors; beyond it the users that were searched longest ago are
  /// dropped, and `find` says so. 0: no limit.
  std::size_t budget_bytes = 0;
  /// Walk along a graph even where reading everything is quicker: for tests.
  bool always_walk = false;
};

/// How many, and how big.
struct index_size {
  std::size_t pieces = 0;
  std::size_t users = 0;
  std::size_t bytes = 0; ///< of memory, about; what is only in the file does not count
  std::size_t dropped_users = 0; ///< of `users`; `load` puts them back
  std::size_t damaged_users = 0; ///< so far: dropped as the file was damaged
};

/// The pieces that a search found, best first; nullopt: the user's pieces were dropped
/// from memory: `load` them again, then ask again.
using search_result = std::optional<std::vector<memory_hit>>;

/// One shard. One thread at a time; a search of 10,000 pieces takes less
/// than a tenth of a millisecond.
class vector_index {
public:
  /// Fails: invalid_input (options).
  [[nodiscard]] static result<vector_index> make(index_options options);
  ~vector_index();
  vector_index(vector_index&&) noexcept;
  vector_index& operator=(vector_index&&) noexcept;

  /// An id that is there already is left as it is. Fails: invalid_input (a vector of
  /// another size, or with a number that is none).
  [[nodiscard]] result<void> add(const embedded_piece& piece);
  /// False: it was not there. A dropped user's piece counts as there when the file, or
  /// what came since, has it.
  bool remove(const user_id& user, embedding_id id);
  /// All that is kept of a user.
  void remove_user(const user_id& user);

  /// At most `k` pieces with a score of at least `min_score`, the best piece of a
  /// message only. The filter is applied inside the search: `k` of those that pass are
  /// found even when few do. Ties: the newer id first. Fails: invalid_input (size).
  [[nodiscard]] result<search_result> find(const user_id& user,
                                           std::span<const float> query,
                                           const memory_filter& filter, std::size_t k,
                                           float min_score);
  /// Puts back what `find` missed. Fails as add().
  [[nodiscard]] result<void> load(const user_id& user,
                                  std::span<const embedded_piece> pieces);

  /// find() missed this user, and neither load() nor give_up() came since.
  [[nodiscard]] bool awaits(const user_id& user) const noexcept;
  /// Nobody will load() what find() missed: what came since is kept no more.
  void give_up(const user_id& user);

  /// Does a part of what is outstanding, a few milliseconds: graphs to link. add() and
  /// remove() do the same, so it is for when nothing comes. False: nothing is left.
  bool work();

  [[nodiscard]] index_size size() const noexcept;
  /// All ids, ascending, those of dropped users included.
  [[nodiscard]] std::vector<embedding_id> ids() const;
  /// The same with their users.
  [[nodiscard]] std::vector<owned_embedding> owned() const;
  /// The vector as it is stored; nullopt: not here, or dropped. Reads what is in the
  /// file.
  [[nodiscard]] std::optional<std::vector<float>> vector_of(const user_id& user,
                                                            embedding_id id) const;

  /// A copy of the state as it is now, to be written by another thread: `write` may
  /// run while the index changes.
  class snapshot;
  [[nodiscard]] std::shared_ptr<const snapshot> freeze() const;
  /// Writes atomically, with a checksum. Blocks. Any thread. Fails: unavailable (disk).
  [[nodiscard]] static result<void> write(const snapshot& state,
                                          const std::filesystem::path& file);
  /// Opens what was written. Vectors stay in the file until their user is searched, and
  /// are checked then: when they are damaged `find` says that they were dropped.
  /// Blocks. Fails: not_found; conflict (another model, form, size or version: a new
  /// start); invalid_input (damaged); unavailable (disk).
  [[nodiscard]] static result<vector_index> open(index_options options,
                                                 const std::filesystem::path& file);

private:
  struct state;
  explicit vector_index(std::unique_ptr<state> made);
  std::unique_ptr<state> state_;
};

} // namespace jessica::index
