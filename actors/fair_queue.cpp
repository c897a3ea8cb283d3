#include "actors/fair_queue.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {

void fair_queue::give_turn(user_id whose, line& of) {
  if (of.in_turns || of.waiting.empty() || of.running >= each_)
    return;
  of.in_turns = true;
  turns_.push_back(whose);
}

void fair_queue::push(job what) {
  const auto whose = what.user;
  auto& of = lines_[whose];
  of.waiting.push_back(std::move(what));
  ++waiting_;
  give_turn(whose, of);
}

std::optional<job> fair_queue::take() {
  while (!turns_.empty()) {
    const auto whose = turns_.front();
    turns_.pop_front();
    auto& of = lines_.at(whose);
    of.in_turns = false;
    if (of.waiting.empty()) { // removed since
      if (of.running == 0)
        lines_.erase(whose);
      continue;
    }
    auto next = std::move(of.waiting.front());
    of.waiting.pop_front();
    --waiting_;
    ++of.running;
    give_turn(whose, of);
    return next;
  }
  return std::nullopt;
}

void fair_queue::ended(user_id whose) {
  const auto found = lines_.find(whose);
  if (found == lines_.end() || found->second.running == 0)
    return;
  auto& of = found->second;
  --of.running;
  if (of.running == 0 && of.waiting.empty() && !of.in_turns)
    lines_.erase(found);
  else
    give_turn(whose, of);
}

std::optional<job> fair_queue::remove(job_id which) {
  for (auto& [whose, of] : lines_) {
    const auto found = std::ranges::find(of.waiting, which, &job::id);
    if (found == of.waiting.end())
      continue;
    auto removed = std::move(*found);
    of.waiting.erase(found);
    --waiting_;
    ++of.running;
    return removed;
  }
  return std::nullopt;
}

void fair_queue::clear() {
  lines_.clear();
  turns_.clear();
  waiting_ = 0;
}

void fair_queue::list_waiting(std::unordered_set<job_id>& to) const {
  for (const auto& [whose, of] : lines_)
    for (const auto& one : of.waiting)
      to.insert(one.id);
}

std::vector<user_id> fair_queue::full() const {
  auto users = std::vector<user_id>{};
  for (const auto& [whose, of] : lines_)
    if (of.running + of.waiting.size() >= each_)
      users.push_back(whose);
  return users;
}

} // namespace jessica::actors
