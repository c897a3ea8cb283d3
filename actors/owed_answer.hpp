// An answer that its asker gets in any case. A promise that CAF drops, because the
// actor that made it ended, answers nothing: the asker would wait for its limit.
#pragma once

#include "actors/errors.hpp"

#include <caf/typed_response_promise.hpp>

#include <memory>
#include <utility>

namespace jessica::actors {

/// Shared by the handlers that may answer; within the actor that made the promise. When
/// the last of them goes without an answer, the asker gets unavailable.
template <class T> class owed_answer {
public:
  explicit owed_answer(caf::typed_response_promise<T> to) : to_(std::move(to)) {}
  ~owed_answer() {
    if (to_.pending())
      to_.deliver(to_caf(
          {errc::unavailable, "an actor ended before it answered", {}, nullptr}));
  }
  owed_answer(const owed_answer&) = delete;
  owed_answer& operator=(const owed_answer&) = delete;

  template <class Answer> void deliver(Answer&& what) {
    to_.deliver(std::forward<Answer>(what));
  }

private:
  caf::typed_response_promise<T> to_;
};

template <class T> using owed = std::shared_ptr<owed_answer<T>>;

template <class T> [[nodiscard]] owed<T> owe(caf::typed_response_promise<T> to) {
  return std::make_shared<owed_answer<T>>(std::move(to));
}

} // namespace jessica::actors
