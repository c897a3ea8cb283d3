// The nouns of a chat: what is sent, what is stored, what a job needs.
#pragma once

#include "domain/amount.hpp"
#include "domain/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica {

/// One message a person sends. The author comes from a verified token, never a body.
struct turn {
  user_id author;
  conversation_id conversation; ///< chosen by the server when `opens` is set
  bool opens = false;           ///< the conversation is created in the same commit
  std::string content;
  std::optional<std::string> client_id; ///< the same one twice gives the same receipt
  std::string params = "{}";            ///< JSON object, stored with the job
};

/// What a committed turn is known by.
struct receipt {
  conversation_id conversation;
  message_id message;
  message_id reply;
  job_id job;
  bool repeated = false; ///< the client_id was seen before: nothing new was stored

  friend bool operator==(const receipt&, const receipt&) = default;
};

/// A job as the node that holds its lease sees it.
struct job {
  job_id id;
  std::int32_t attempt = 1;
  user_id user;
  conversation_id conversation;
  message_id message;
  message_id reply;
  std::string params = "{}";
  bool cancelled = false; ///< cancelled before it was claimed
  std::int64_t kept = 0;  ///< characters of the reply's text that it goes on with
};

struct usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  bool estimated = false;       ///< counted by us, not reported by the engine
  std::optional<amount> cost{}; ///< nullopt: the model has no price

  friend bool operator==(const usage&, const usage&) = default;
};

/// Something the engine may ask to be done, as it is told of it.
struct tool {
  std::string name;
  std::string description;
  std::string parameters; ///< JSON schema of its arguments

  friend bool operator==(const tool&, const tool&) = default;
};

/// What the engine wants done.
struct tool_call {
  std::string id;
  std::string name;
  std::string arguments; ///< as the model wrote them: JSON, if it kept to the schema

  friend bool operator==(const tool_call&, const tool_call&) = default;
};

/// What came of it.
struct tool_outcome {
  tool_call call;
  std::string result; ///< as the engine reads it; of a failure: why
  bool failed = false;
  std::chrono::milliseconds took{0};

  friend bool operator==(const tool_outcome&, const tool_outcome&) = default;
};

/// How a job ended. Stored with the reply's text in one commit.
struct outcome {
  job_id job;
  std::int32_t attempt = 1;
  bool cancelled = false;
  std::string content;
  usage used;
  std::string model{};               ///< that answered; empty: not known
  std::vector<tool_outcome> tools{}; ///< in the order in which they were called
  std::string finish_reason{};       ///< "stop", "length", ...; empty: not known
};

/// Why a job could not be completed this time.
struct failure {
  job_id job;
  std::string what;       ///< shown on the reply
  bool retryable = false; ///< another attempt may succeed
  usage used{};           ///< by this attempt; counted all the same
  std::string model{};    ///< that was asked
};

/// What became of a failed job.
enum class job_status : std::uint8_t { queued, dead, cancelled, lost };

/// Whose a job is that we believed to run.
enum class job_hold : std::uint8_t {
  ours,
  cancelled, ///< ours, but its user wants it stopped
  lost       ///< not ours any more: another node may run it
};

/// What a user's stop came upon.
struct stop_receipt {
  job_id job;
  std::string status; ///< "cancelling", or what the reply is already
};

/// One earlier turn of a conversation, oldest first, as the engine reads it.
struct past_turn {
  std::string role; ///< "user", "assistant", "system" or "tool"
  std::string content;
  message_id id = {};
  std::vector<tool_call> calls = {}; ///< of an assistant's turn
  std::string answers = {};          ///< of a tool's turn: the call's id
};

/// Something said earlier, here or in another conversation, that may help to answer.
struct recalled_memory {
  message_id message;
  conversation_id conversation;
  float score = 0; ///< cosine to the message to answer
  std::string role;
  std::string excerpt;
};

/// What a sender asks of the engine for one reply; what is empty is the engine's
/// choice.
struct reply_params {
  std::optional<std::string> model;  ///< instead of the conversation's
  std::optional<std::string> system; ///< instead of the conversation's system prompt
  std::optional<double> temperature; ///< 0 to 2
  std::optional<double> top_p;       ///< above 0, at most 1
  std::optional<std::int64_t> max_tokens;
  std::vector<std::string> stop; ///< the reply ends before the first of these
  /// None but these tools may be called; not given: any.
  std::optional<std::vector<std::string>> tools = {};

  friend bool operator==(const reply_params&, const reply_params&) = default;
};

/// What the engine is asked with.
struct prompt {
  std::optional<std::string> system;
  std::optional<std::string> model; ///< the conversation's choice
  std::vector<past_turn> turns;     ///< ends with the message to answer
  reply_params params{};            ///< of this reply; stronger than the conversation's
  bool recalls = true;              ///< the conversation wants memories
  std::vector<recalled_memory> memories = {}; ///< said in `system`, too
  std::vector<tool> tools = {};               ///< that the engine may call
  /// The conversation's tools are none but these; not given: any.
  std::optional<std::vector<std::string>> only_tools = {};
  std::string so_far = {}; ///< of the reply, which the engine is to go on with
  std::vector<message_id> set_aside = {}; ///< of other branches: not to be remembered
};

/// Text so far of a job that runs: lets another node continue it.
struct checkpoint {
  job_id job;
  std::int32_t attempt = 1;
  std::string partial;
  usage used = {};        ///< so far: counted by who takes the job over
  std::string model = {}; ///< that answers
};

} // namespace jessica
