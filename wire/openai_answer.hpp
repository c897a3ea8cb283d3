// The answers of /v1/chat/completions: whole, or as the events of a stream.
#pragma once

#include "domain/chat.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// What all parts of one completion's answer say of it.
struct completion_head {
  std::string id;           ///< chatcmpl-...
  std::int64_t created = 0; ///< seconds since 1970
  std::string model;
};

/// Events of a stream, each appended to a text as it goes over the wire.
class completion_chunks {
public:
  /// `with_usage`: the stream will end with a chunk that says what was used; OpenAI's
  /// other chunks then say null.
  completion_chunks(completion_head of, bool with_usage);

  /// Who answers, from the next chunk on.
  void answered_by(std::string model);
  /// The first chunk, which says that the assistant speaks.
  void role(std::string& to) const;
  void text(std::string& to, std::string_view more) const;
  void reasoning(std::string& to, std::string_view more) const;
  void calls(std::string& to, std::span<const tool_call> all) const;
  void finish(std::string& to, std::string_view reason) const;
  void used(std::string& to, const usage& what) const;

private:
  void write_prefix();
  void delta(std::string& to, std::string_view json, std::string_view reason) const;

  completion_head of_;
  bool with_usage_;
  std::string prefix_; ///< of every chunk
};

/// The event behind the last chunk.
inline constexpr auto completion_done = std::string_view{"data: [DONE]\n\n"};
/// One event with a JSON text in it.
void append_event(std::string& to, std::string_view json);

struct whole_completion {
  std::string text;
  std::string reasoning;
  std::vector<tool_call> calls;
  std::string finish_reason;
  usage used;
};
[[nodiscard]] std::string completion_json(const completion_head& of,
                                          const whole_completion& what);

} // namespace jessica::wire
