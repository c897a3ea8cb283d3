// What an engine says, on its way into the two forms of a completion's answer. Sinks of
// the engine: they are called on its thread; a ring of the bell's rope tells the route
// that it may look.
#pragma once

#include "actors/gateway_messages.hpp"
#include "net/bell.hpp"
#include "net/streamed_body.hpp"
#include "wire/openai_answer.hpp"
#include "wire/openai_problem.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace jessica::net {

/// The engine's failure as /v1 words it.
[[nodiscard]] wire::openai_refusal refusal_of(const engines::text_failed& why);

/// Writes each event into a stream's body as it comes. A failure before the first of
/// them is kept for the route: then there need be no stream.
class stream_teller {
public:
  stream_teller(wire::completion_head of, bool with_usage,
                std::shared_ptr<body_writer> to, std::shared_ptr<bell_rope> begun);

  void take(engines::engine_event event);
  /// From the reactor: the stream ends with this failure, unless it is over.
  void fail(const wire::openai_refusal& why);

  /// Something was told, or is not going to be.
  [[nodiscard]] bool has_begun() const;
  [[nodiscard]] std::optional<wire::openai_refusal> failure() const;

private:
  void write(const engines::engine_event& event, std::string& to);
  void end(std::string& to, std::string_view reason, const usage& used);
  void break_off(const wire::openai_refusal& why);

  mutable std::mutex lock_;
  wire::completion_chunks chunks_;
  bool with_usage_;
  std::shared_ptr<body_writer> to_;
  std::shared_ptr<bell_rope> begun_rope_;
  bool begun_ = false;
  bool over_ = false;
  std::optional<wire::openai_refusal> failure_; ///< before anything was told
};

/// Gathers the whole answer.
class whole_teller {
public:
  explicit whole_teller(std::shared_ptr<bell_rope> over)
      : over_rope_(std::move(over)) {}

  void take(engines::engine_event event);

  [[nodiscard]] bool is_over() const;
  /// These once it is over, by the route.
  [[nodiscard]] const std::optional<wire::openai_refusal>& failure() const noexcept {
    return failure_;
  }
  [[nodiscard]] const wire::whole_completion& answer() const noexcept {
    return answer_;
  }
  [[nodiscard]] const std::string& model() const noexcept { return model_; }

private:
  void add(engines::engine_event& event);

  mutable std::mutex lock_;
  std::shared_ptr<bell_rope> over_rope_;
  wire::whole_completion answer_;
  std::string model_;
  std::optional<wire::openai_refusal> failure_;
  bool over_ = false;
};

} // namespace jessica::net
