// One completion that GATEWAY started: the engine's work, its place among the others,
// and what it has used.
#pragma once

#include "actors/gateway_messages.hpp"

#include <memory>
#include <mutex>

namespace jessica::actors {

/// Counts what an engine says on its way to who asked. Any thread.
class completion_tally {
public:
  /// `prompt_bytes`: for an estimate, as long as the engine has not said what it used.
  explicit completion_tally(std::size_t prompt_bytes) : prompt_bytes_(prompt_bytes) {}

  void see(const engines::engine_event& event);
  [[nodiscard]] usage used() const;
  [[nodiscard]] bool has_failed() const;
  /// Empty: who was asked first has answered.
  [[nodiscard]] std::string other_model() const;

private:
  mutable std::mutex lock_;
  std::size_t prompt_bytes_;
  std::int64_t tokens_ = 0;
  std::optional<usage> reported_;
  std::string other_model_;
  bool failed_ = false;
};

/// Its end, on whatever thread, cancels what the engine still does, and gives the place
/// back. Must not end within the engine's sink, which the engine would wait for.
class completion_run {
public:
  /// Takes a place: from now on `home` is owed a completion_ended.
  completion_run(gateway_actor home, std::size_t prompt_bytes);
  ~completion_run();
  completion_run(const completion_run&) = delete;
  completion_run& operator=(const completion_run&) = delete;

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const std::shared_ptr<completion_tally>& tally() const noexcept {
    return tally_;
  }
  void asks(std::string model, std::unique_ptr<engines::generation> generation);

  /// Ends it now, once; GATEWAY has to be told this. For those who tell it at less cost
  /// than the destructor, which wakes another thread for it.
  [[nodiscard]] completion_ended finish();

private:
  gateway_actor home_; ///< null: it was told
  std::uint64_t number_;
  std::shared_ptr<completion_tally> tally_;
  std::string model_;
  std::unique_ptr<engines::generation> generation_;
};

} // namespace jessica::actors
