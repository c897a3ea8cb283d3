// What a run is asked to do: the flags of jessica_bench.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace jessica::bench {

struct settings {
  std::filesystem::path jessica = "build/release/jessica";
  std::string node = "node";
  std::string node20 = "node"; ///< a node 20, for the peer that needs it
  std::filesystem::path peer_scripts = "bench/peers";
  std::filesystem::path scratch =
      "build";                    ///< databases live below it while a run lasts
  std::string commit = "unknown"; ///< of the server, as the report shows it
  bool json = false;
  std::size_t rounds = 5;
  std::size_t sessions = 200;        ///< chat
  std::size_t messages = 20;         ///< chat: of one session
  std::size_t tokens_per_second = 0; ///< chat: pace of the engine; 0: no pause
  std::size_t streams = 100;         ///< signins: conversations
  std::size_t signers = 100;         ///< signins: clients that sign in
  std::size_t sockets = 50;          ///< sends, rest
  std::size_t seconds = 3; ///< sends: one round; rest, signins: each part of it
  std::size_t rate = 0;    ///< sends: messages a second; 0: back to back; gateway too
  std::size_t slots = 0;   ///< sends: replies written at once; 0: the server's own
  std::size_t connections = 5000; ///< idle
  std::size_t hold = 0;           ///< idle: seconds they are kept
  std::size_t rejoiners = 5000;   ///< rejoin
  std::size_t within = 2;         ///< rejoin: seconds until all have connected again
  std::size_t followers = 500;    ///< changes: clients that follow a table
  std::size_t users = 5;          ///< changes: whom the rows and followers belong to
  std::size_t rows = 1;           ///< changes: of one commit
  std::size_t writers = 8;        ///< changes: connections that commit
  std::size_t commits = 16;       ///< changes: under way at once
  std::size_t members = 100;      ///< fanout
  std::size_t window = 1;         ///< fanout: broadcasts in flight
  std::size_t clients = 100;      ///< echo
  std::size_t frames = 200'000;   ///< fanout and echo: delivered in one round
  std::string peers = "ws,uws,socket.io"; ///< fanout and echo
  std::size_t pin = 1; ///< fanout and echo: servers and load generator on cores apart
  std::size_t jobs = 20'000;       ///< queue: in batches, of one trial
  std::size_t single_jobs = 2'000; ///< queue: one by one, of one trial
  std::size_t workers = 10;        ///< queue: jobs under way, one by one
  std::size_t lanes = 4;           ///< rest: connections of the bare statement
  std::size_t vectors = 100'000;   ///< search
  std::size_t owners = 100;        ///< search: users whom the vectors belong to
  std::size_t queries = 1'000;     ///< search: of a round, for each contender
  std::size_t graph_minutes = 25;  ///< search: that pgvector may link one graph for
  std::string search_peers = "pgvector,hnswlib"; ///< search
  std::filesystem::path texts; ///< search: one a line; empty: drawn vectors
  std::filesystem::path model =
      "build/models/use-lite"; ///< embedding, retrieval, searchable, search of texts
  std::filesystem::path paraphrases = "bench/data/paraphrases.txt"; ///< retrieval
  std::filesystem::path keywords = "bench/data/keywords.txt";       ///< retrieval
};

/// `--name value` or `--name=value`; `--json` stands alone. Fails: invalid_input.
[[nodiscard]] result<settings> read_settings(std::span<char* const> arguments);

/// One line for each flag.
[[nodiscard]] std::string settings_help();

} // namespace jessica::bench
