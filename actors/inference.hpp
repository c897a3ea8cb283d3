// INFERENCE: one running job, from prompt to stored reply. See protocol.hpp.
#pragma once

#include "actors/lease_watch.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "actors/quota_messages.hpp"
#include "actors/title_messages.hpp"
#include "domain/price.hpp"
#include "engines/engine.hpp"
#include "engines/tool_runner.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jessica::actors {

/// What an engine may have done for it.
struct inference_tools {
  std::shared_ptr<engines::tool_runner> runner = {}; ///< null: no tools of others
  bool search_memory = false;
  std::size_t rounds = 5;                     ///< of calls in one reply; 0: no tools
  std::size_t at_once = 4;                    ///< calls under way
  std::size_t max_reply_bytes = 262'144;      ///< of all rounds together
  std::chrono::milliseconds patience{10'000}; ///< with MEMORY
};

struct inference_deps {
  hub_actor hub;
  persistence_actor persistence;
  reader_actor readers;
  dispatcher_actor dispatcher;
  std::shared_ptr<engines::text_generator> engine;
  std::shared_ptr<const lease_watch> lease;
  std::chrono::milliseconds checkpoint_every{1000};
  memory_actor memory = {}; ///< null: replies are written without memories
  std::chrono::milliseconds memory_timeout{300}; ///< then one is, too
  titler_actor titler = {}; ///< null: conversations keep their first words as titles
  inference_tools tools = {};
  std::shared_ptr<const std::vector<price>> prices = {}; ///< null: none
  teller_actor teller = {}; ///< counts what was used of lost jobs; null: nobody
};

struct inference_state {
  inference_deps deps;
  job what;
  channel_actor channel;
  room_number room = 0; ///< of the channel
  std::string text;
  std::string model;                     ///< that answers
  std::vector<recalled_memory> memories; ///< that it was given
  std::uint64_t seq = 0;
  /// Reasoning that members were not told of yet.
  struct thoughts {
    std::string untold;
    std::chrono::steady_clock::time_point told_at;
  };
  thoughts thinks;
  /// What members were told of: the rest is held back while the lease is in doubt.
  struct told_so_far {
    std::uint64_t seq = 0;
    std::size_t bytes = 0;
  };
  told_so_far told;
  std::size_t prompt_bytes = 0;
  std::size_t exchanges = 0; ///< of the prompt: how far the conversation has come
  std::optional<std::string> named_model; ///< that its user chose, for the title, too
  std::uint32_t prompts = 0;              ///< asked for: only the last one is used
  std::chrono::steady_clock::time_point saved_at;
  std::size_t saved_bytes = 0; ///< of the text, by the last checkpoint
  usage saved_used = {};       ///< that it says
  bool saving = false;         ///< a checkpoint is on its way
  bool over = false;           ///< the engine's last event was seen, or it was stopped
  bool stopped = false;        ///< by its user
  bool gave_up = false;        ///< `failed` says why
  /// What try_again repeats when the database, or the CHANNEL, was away.
  enum class pending : std::uint8_t {
    nothing,
    open_channel,
    load_prompt,
    finish,
    give_up
  };
  pending next = pending::nothing;
  engines::text_ended ended;
  engines::text_failed failed;
  /// Calls of tools: rounds of them, and generations between.
  struct tool_work {
    prompt asked;           ///< with what the engine was asked last, if it may call
    std::string answers;    ///< the model of the running generation
    usage used;             ///< of generations that are over
    std::size_t rounds = 0; ///< of calls
    std::size_t from = 0;   ///< where the running generation's text begins
    std::uint64_t from_seq = 0;
    std::vector<tool_outcome> calls; ///< of all rounds, in order
    std::size_t round = 0;           ///< the first one of the last round
    std::size_t begun = 0;           ///< up to here they were begun
    std::size_t left = 0;            ///< of the last round that have not ended
    std::vector<std::unique_ptr<engines::running_call>> running; ///< by call
  };
  tool_work work;
  /// Last member: it is destroyed (cancelled) before what its sink may touch.
  std::unique_ptr<engines::generation> generation;
};

inference_actor::behavior_type
inference(inference_actor::stateful_pointer<inference_state> self, inference_deps deps,
          job what);

} // namespace jessica::actors
