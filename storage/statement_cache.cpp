#include "storage/statement_cache.hpp"

#include <utility>

namespace jessica::storage {

statement_cache::entry statement_cache::use(std::string_view sql) {
  if (const auto found = index_.find(sql); found != index_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return {found->second->name, false};
  }
  while (!by_use_.empty() && by_use_.size() >= limit_) {
    auto& oldest = by_use_.back();
    evicted_.push_back(std::move(oldest.name));
    index_.erase(oldest.sql);
    by_use_.pop_back();
  }
  by_use_.push_front({std::string{sql}, "s" + std::to_string(++made_)});
  index_.emplace(by_use_.front().sql, by_use_.begin());
  return {by_use_.front().name, true};
}

void statement_cache::forget(std::string_view sql) {
  if (const auto found = index_.find(sql); found != index_.end()) {
    const auto gone = found->second;
    index_.erase(found);
    by_use_.erase(gone);
  }
}

void statement_cache::give_up() {
  index_.clear();
  for (auto& one : by_use_)
    evicted_.push_back(std::move(one.name));
  by_use_.clear();
}

std::vector<std::string> statement_cache::take_evicted() {
  return std::exchange(evicted_, {});
}

void statement_cache::clear() {
  index_.clear();
  by_use_.clear();
  evicted_.clear();
}

} // namespace jessica::storage
