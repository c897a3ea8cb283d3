#include "bench/load/change_book.hpp"

namespace jessica::bench {

change_book::change_book(std::size_t followers, std::size_t users, std::size_t writers)
    : users_(users), writers_(writers) {
  for (auto i = std::size_t{0}; i < followers; ++i)
    next_.insert(next_.end(), writers, i % users);
}

bool change_book::take(std::size_t follower, std::uint64_t number) {
  auto& next = next_[follower * writers_ + number % writers_];
  const auto row = number / writers_;
  if (row % users_ != next % users_) {
    ++leaked_;
    return false;
  }
  if (row < next) {
    ++repeated_;
    return false;
  }
  missing_ += (row - next) / users_;
  next = row + users_;
  return true;
}

void change_book::close(std::size_t writer, std::uint64_t rows) {
  for (auto at = writer; at < next_.size(); at += writers_)
    for (; next_[at] < rows; next_[at] += users_)
      ++missing_;
}

} // namespace jessica::bench
