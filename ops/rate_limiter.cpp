#include "ops/rate_limiter.hpp"

#include <algorithm>
#include <utility>

namespace jessica::ops {

rate_limiter::rate_limiter(pace allowed, std::size_t most_keys)
    : allowed_(allowed), most_young_(std::max<std::size_t>(most_keys / 2, 1)) {}

std::optional<rate_limiter::clock::duration> rate_limiter::take(std::string_view key,
                                                                clock::time_point now) {
  using std::chrono::duration;
  const auto held = std::scoped_lock{lock_};
  auto& of = find(key, now);
  const auto since = duration<double>{std::max(now - of.at, clock::duration{})};
  of.left = std::min(allowed_.burst, of.left + since.count() * allowed_.per_second);
  of.at = std::max(now, of.at);
  if (of.left >= 1) {
    of.left -= 1;
    return std::nullopt;
  }
  return std::chrono::ceil<clock::duration>(
      duration<double>{(1 - of.left) / allowed_.per_second});
}

void rate_limiter::give_back(std::string_view key) {
  const auto held = std::scoped_lock{lock_};
  if (const auto found = young_.find(std::string{key}); found != young_.end())
    found->second.left = std::min(allowed_.burst, found->second.left + 1);
}

std::size_t rate_limiter::size() const {
  const auto held = std::scoped_lock{lock_};
  return young_.size() + old_.size();
}

rate_limiter::bucket& rate_limiter::find(std::string_view key, clock::time_point now) {
  auto name = std::string{key};
  if (const auto found = young_.find(name); found != young_.end())
    return found->second;
  auto made = bucket{allowed_.burst, now};
  if (auto before = old_.extract(name))
    made = before.mapped();
  if (young_.size() >= most_young_) {
    old_ = std::move(young_);
    young_ = {};
  }
  return young_.emplace(std::move(name), made).first->second;
}

} // namespace jessica::ops
