#include "bench/load/settings.hpp"

#include "bench/load/peers.hpp"

#include <array>
#include <charconv>
#include <format>
#include <optional>
#include <variant>

namespace jessica::bench {
namespace {

struct flag {
  std::string_view name;
  std::string_view meaning;
  std::variant<std::size_t settings::*, std::string settings::*,
               std::filesystem::path settings::*>
      member;
};

constexpr auto flags = std::array{
    flag{"jessica", "the server's binary", &settings::jessica},
    flag{"node", "node, version 22.18 or newer", &settings::node},
    flag{"node20", "a node 20, for the peer that needs it", &settings::node20},
    flag{"peer-scripts", "the servers to compare with", &settings::peer_scripts},
    flag{"texts", "search: a file of real texts, one a line, in place of drawn vectors",
         &settings::texts},
    flag{"model",
         "embedding, retrieval, searchable, search of texts: the model's directory",
         &settings::model},
    flag{"paraphrases", "retrieval: queries and texts", &settings::paraphrases},
    flag{"keywords", "retrieval: queries for names and codes, and texts",
         &settings::keywords},
    flag{"scratch", "where databases live during a run", &settings::scratch},
    flag{"commit", "what is measured, for the report", &settings::commit},
    flag{"rounds", "rounds; medians are shown", &settings::rounds},
    flag{"sessions", "chat: sessions", &settings::sessions},
    flag{"messages", "chat: messages of a session in a round", &settings::messages},
    flag{"tokens-per-second",
         "chat: pace of the engine; 0: no pause; signins: 0 is 40; gateway: 0 is 200",
         &settings::tokens_per_second},
    flag{"streams", "signins: conversations whose replies are streamed",
         &settings::streams},
    flag{"signers", "signins: clients that sign in", &settings::signers},
    flag{"sockets", "sends: sockets; rest: HTTP connections", &settings::sockets},
    flag{"seconds",
         "sends, changes, rest, signins, gateway: length of a round, or of its parts",
         &settings::seconds},
    flag{
        "rate",
        "sends: messages a second, whatever comes back; 0: back to back; gateway: 0 is "
        "1000",
        &settings::rate},
    flag{"slots", "sends: replies written at once, not waited for; 0: the default",
         &settings::slots},
    flag{"connections", "idle: connections", &settings::connections},
    flag{"hold", "idle: seconds that they are kept, with heartbeats", &settings::hold},
    flag{"rejoiners", "rejoin: clients", &settings::rejoiners},
    flag{"within", "rejoin: seconds in which all connect again", &settings::within},
    flag{"followers", "changes: clients that follow a table", &settings::followers},
    flag{"users", "changes: whom rows and followers belong to", &settings::users},
    flag{"rows", "changes: rows of a commit", &settings::rows},
    flag{"writers", "changes: connections that commit", &settings::writers},
    flag{"commits", "changes: commits under way at once", &settings::commits},
    flag{"members", "fanout: members of the topic", &settings::members},
    flag{"window", "fanout: broadcasts in flight", &settings::window},
    flag{"clients", "echo: clients", &settings::clients},
    flag{"frames", "fanout, echo: frames delivered in a round", &settings::frames},
    flag{"peers", "fanout, echo: ws, uws, socket.io or some of them", &settings::peers},
    flag{"pin", "fanout, echo: servers on one core, clients on another; 0: anywhere",
         &settings::pin},
    flag{"jobs", "queue: jobs of a trial, in batches", &settings::jobs},
    flag{"single-jobs", "queue: jobs of a trial, one by one", &settings::single_jobs},
    flag{"workers", "queue: workers, one by one", &settings::workers},
    flag{"lanes", "rest: connections of the bare statement", &settings::lanes},
    flag{"vectors", "search: vectors", &settings::vectors},
    flag{"owners", "search: users whom the vectors belong to", &settings::owners},
    flag{"queries", "search: queries of a round", &settings::queries},
    flag{"graph-minutes",
         "search: most that pgvector may take for one graph of all vectors; 0: none",
         &settings::graph_minutes},
    flag{"search-peers", "search: pgvector, hnswlib, or empty",
         &settings::search_peers},
};

[[nodiscard]] std::optional<std::size_t> count_in(std::string_view text) {
  auto value = std::size_t{0};
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const auto whole = read.ec == std::errc{} && read.ptr == end;
  return whole ? std::optional{value} : std::nullopt;
}

[[nodiscard]] result<void> assign(settings& to, const flag& which,
                                  std::string_view value) {
  if (const auto* count = std::get_if<std::size_t settings::*>(&which.member)) {
    const auto number = count_in(value);
    if (!number)
      return fail(errc::invalid_input,
                  std::format("--{} needs a whole number", which.name));
    to.** count = *number;
  } else if (const auto* text = std::get_if<std::string settings::*>(&which.member)) {
    to.** text = value;
  } else {
    to.*std::get<std::filesystem::path settings::*>(which.member) = value;
  }
  return {};
}

[[nodiscard]] result<void> check(const settings& what) {
  for (const auto count :
       {what.rounds,      what.sessions,    what.messages, what.sockets,   what.seconds,
        what.connections, what.members,     what.window,   what.clients,   what.frames,
        what.jobs,        what.single_jobs, what.workers,  what.rejoiners, what.within,
        what.followers,   what.users,       what.rows,     what.commits,   what.writers,
        what.lanes,       what.streams,     what.signers})
    if (count == 0)
      return fail(errc::invalid_input, "counts must be at least 1");
  return relay_peers_named(what.peers).transform([](const auto&) {});
}

} // namespace

result<settings> read_settings(std::span<char* const> arguments) {
  auto read = settings{};
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    auto name = std::string_view{*at};
    if (name == "--json") {
      read.json = true;
      continue;
    }
    const auto equals = name.find('=');
    auto value =
        equals == std::string_view::npos ? std::string_view{} : name.substr(equals + 1);
    name = name.substr(0, equals);
    const auto* found = static_cast<const flag*>(nullptr);
    for (const auto& known : flags)
      if (name.starts_with("--") && name.substr(2) == known.name)
        found = &known;
    if (found == nullptr)
      return fail(errc::invalid_input, std::format("unknown argument {}", name));
    if (equals == std::string_view::npos) {
      if (++at == arguments.end())
        return fail(errc::invalid_input, std::format("{} needs a value", name));
      value = *at;
    }
    if (auto assigned = assign(read, *found, value); !assigned)
      return std::unexpected{std::move(assigned.error())};
  }
  return check(read).transform([&] { return read; });
}

std::string settings_help() {
  auto text = std::string{};
  for (const auto& one : flags)
    text += std::format("  --{:<20}{}\n", one.name, one.meaning);
  return text + std::format("  --{:<20}{}\n", "json", "one JSON object, no tables");
}

} // namespace jessica::bench
