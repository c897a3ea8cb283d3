#include "bench/load/change_crew.hpp"

namespace jessica::bench {

change_crew::change_crew(storage::endpoint where, std::vector<std::string> users,
                         std::size_t writers)
    : where_(std::move(where)), users_(std::move(users)), first_(writers) {}

void change_crew::begin(pace how, std::size_t commits) {
  for (auto i = std::size_t{0}; i < writers_.size(); ++i)
    first_[i] = writers_[i].rows();
  writers_.clear();
  rows_of_a_commit_ = how.rows;
  budget_.emplace(static_cast<std::ptrdiff_t>(commits));
  outcomes_.assign(first_.size(), {});
  ended_ = 0;
  for (auto i = std::size_t{0}; i < first_.size(); ++i) {
    const auto at =
        writer_place{.number = i, .writers = first_.size(), .first = first_[i]};
    writers_.emplace_back(where_, users_, at, how, *budget_);
  }
  for (auto i = std::size_t{0}; i < first_.size(); ++i)
    threads_.emplace_back([this, i] {
      outcomes_[i] = writers_[i].run();
      ++ended_;
    });
}

std::uint64_t change_crew::rows() const {
  auto all = std::uint64_t{0};
  for (auto i = std::size_t{0}; i < writers_.size(); ++i)
    all += writers_[i].rows() - first_[i];
  return all;
}

result<void> change_crew::end() {
  threads_.clear();
  for (const auto& one : outcomes_)
    if (!one)
      return one;
  return {};
}

const change_writer::commit* change_crew::commit_of(std::uint64_t number) const {
  const auto who = static_cast<std::size_t>(number % writers_.size());
  const auto row = number / writers_.size();
  const auto& commits = writers_[who].commits();
  if (row < first_[who] || (row - first_[who]) / rows_of_a_commit_ >= commits.size())
    return nullptr;
  return &commits[(row - first_[who]) / rows_of_a_commit_];
}

} // namespace jessica::bench
