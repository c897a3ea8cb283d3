#include "bench/load/change_book.hpp"

namespace jessica::bench {

change_book::change_book(std::size_t followers, std::size_t users) : users_(users) {
  for (auto i = std::size_t{0}; i < followers; ++i)
    next_.push_back(i % users);
}

bool change_book::take(std::size_t follower, std::uint64_t row) {
  auto& next = next_[follower];
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

void change_book::close(std::uint64_t rows) {
  for (auto& next : next_)
    for (; next < rows; next += users_)
      ++missing_;
}

} // namespace jessica::bench
