// jessica_bench: runs one scenario and prints what it found out.
#include "bench/load/machine.hpp"
#include "bench/load/scenarios.hpp"

#include <array>
#include <cstdio>
#include <span>
#include <string_view>

namespace {

using namespace jessica;

struct scenario {
  std::string_view name;
  std::string_view meaning;
  result<bench::findings> (*run)(const bench::settings&);
};

constexpr auto scenarios = std::array{
    scenario{"chat", "send, wait for the whole reply, send again", bench::run_chat},
    scenario{"sends", "store messages back to back", bench::run_sends},
    scenario{"idle", "memory of connections that hold a private channel",
             bench::run_idle},
    scenario{"rejoin", "all connections break, everybody joins again",
             bench::run_rejoin},
    scenario{"fanout", "one sender, many members; beside the peers", bench::run_fanout},
    scenario{"echo", "own broadcasts that come back; beside the peers",
             bench::run_echo},
    scenario{"changes", "from a commit to all who may see the row", bench::run_changes},
    scenario{"feed", "from a commit to its event in the change feed", bench::run_feed},
    scenario{"queue", "the job queue alone; beside graphile-worker and pg-boss",
             bench::run_queue},
    scenario{"tokens", "to verify a token: each algorithm, new and seen before",
             bench::run_tokens},
    scenario{"rest", "rows by key and inserts over REST; beside the bare statements",
             bench::run_rest},
    scenario{"engine", "streams of a language model's provider, without a server",
             bench::run_engine},
    scenario{"gateway", "completions over /v1; beside the provider itself",
             bench::run_gateway},
    scenario{"signins", "how late streamed tokens are while a crowd signs in",
             bench::run_signins},
    scenario{"search", "nearest vectors of a user; beside pgvector and hnswlib",
             bench::run_search},
    scenario{"embedding", "texts to vectors on one thread", bench::run_embedding},
    scenario{"retrieval", "how often the text that means the same is found",
             bench::run_retrieval},
    scenario{"searchable", "from a stored message to a search that finds it",
             bench::run_searchable},
};

int explain() {
  std::fputs("jessica_bench scenario [flags]\n\n", stderr);
  for (const auto& one : scenarios)
    std::fprintf(stderr, "  %-10.*s%.*s\n", static_cast<int>(one.name.size()),
                 one.name.data(), static_cast<int>(one.meaning.size()),
                 one.meaning.data());
  std::fprintf(stderr, "\n%s", bench::settings_help().c_str());
  return 2;
}

int run(const scenario& which, const bench::settings& how) {
  const auto found = which.run(how);
  if (!found) {
    std::fprintf(stderr, "jessica_bench: %s: %s\n", which.name.data(),
                 found.error().what.c_str());
    return 1;
  }
  std::fputs((how.json ? json_of(*found, how) : table_of(*found, how)).c_str(), stdout);
  if (sound(*found))
    return 0;
  std::fputs("jessica_bench: something was lost, refused or repeated\n", stderr);
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return explain();
  const auto how = bench::read_settings({argv + 2, static_cast<std::size_t>(argc - 2)});
  if (!how) {
    std::fprintf(stderr, "jessica_bench: %s\n\n", how.error().what.c_str());
    return explain();
  }
  bench::raise_descriptor_limit();
  for (const auto& one : scenarios)
    if (one.name == argv[1])
      return run(one, *how);
  return explain();
}
