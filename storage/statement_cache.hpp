// Which statements a session has prepared, under which names. Bounded: what was not
// used for longest is given up. Pure bookkeeping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jessica::storage {

class statement_cache {
public:
  struct entry {
    std::string name;
    bool fresh = false; ///< to be prepared under `name` before its first use
  };

  explicit statement_cache(std::size_t limit) : limit_(limit) {}
  // The index points into the list: a copy would point into another one.
  statement_cache(const statement_cache&) = delete;
  statement_cache& operator=(const statement_cache&) = delete;

  /// The name of a statement's text. A name is never used for two texts.
  [[nodiscard]] entry use(std::string_view sql);
  /// The statement was not prepared after all.
  void forget(std::string_view sql);
  /// Gives up all of them.
  void give_up();
  /// Names given up since the last call: the session should close them.
  [[nodiscard]] std::vector<std::string> take_evicted();
  /// The session is gone.
  void clear();

  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

private:
  struct prepared {
    std::string sql;
    std::string name;
  };

  std::size_t limit_;
  std::uint64_t made_ = 0;
  std::list<prepared> by_use_; // most recent first
  std::unordered_map<std::string_view, std::list<prepared>::iterator> index_;
  std::vector<std::string> evicted_;
};

} // namespace jessica::storage
