// What one generation has told so far, whichever providers it came from. The only part
// of it that two threads see: the loop tells, whoever asked may want no more.
#pragma once

#include "engines/engine.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace jessica::engines {

class chat_progress {
public:
  /// `promised`: the model that whoever asked was told of.
  chat_progress(event_sink sink, std::string promised, std::size_t max_bytes);

  /// Any thread: nothing is told after this returns.
  void close();

  // The loop:
  /// Who answers from here on.
  void answers(const std::string& model);
  /// False: the text is longer than a reply may be; then this part is not told.
  [[nodiscard]] bool text(std::string more, std::uint32_t tokens);
  /// Beyond what a reply may hold it is dropped.
  void reasoning(std::string more);
  void ended(text_ended how);
  void called(tools_called what);
  void failed(text_failed why);

  [[nodiscard]] const std::string& so_far() const noexcept { return so_far_; }
  [[nodiscard]] std::uint64_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] bool over() const noexcept { return over_; }

private:
  void tell(engine_event what);

  std::mutex lock_; ///< held while the sink is called
  bool closed_ = false;
  event_sink sink_;
  std::string model_;
  std::size_t max_bytes_;
  std::string so_far_;
  std::uint64_t tokens_ = 0;
  std::size_t thought_bytes_ = 0;
  bool over_ = false;
};

} // namespace jessica::engines
