#include "bench/load/completion_fleet.hpp"
#include "bench/load/people.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/servers.hpp"
#include "bench/load/token_provider.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

constexpr auto default_rate = std::size_t{1000};
constexpr auto default_pace = std::size_t{200}; // tokens a second of one answer
constexpr auto tokens_of_answer = std::size_t{10};
constexpr auto connections = std::size_t{400};
constexpr auto people_count = std::size_t{50};

[[nodiscard]] std::string question(std::uint16_t port, std::string_view path,
                                   std::string_view token, bool streamed) {
  const auto body = std::format(
      R"({{"model":"bench","stream":{},"messages":[{{"role":"system","content":)"
      R"("You are brief."}},{{"role":"user","content":)"
      R"("My dog is called Rex. What did I tell you?"}}]}})",
      streamed);
  return std::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                     "Authorization: Bearer {}\r\nAccept: application/json\r\n"
                     "Content-Type: application/json\r\nUser-Agent: OpenAI/JS 6\r\n"
                     "Content-Length: {}\r\n\r\n{}",
                     path, port, token, body.size(), body);
}

[[nodiscard]] std::uint16_t port_of(std::string_view url) {
  constexpr auto before = std::string_view{"http://127.0.0.1:"};
  auto port = std::uint16_t{0};
  std::from_chars(url.data() + before.size(), url.data() + url.size(), port);
  return port;
}

/// One way of asking.
struct way {
  std::string name;
  std::uint16_t port = 0;
  std::vector<std::string> requests;
};

struct gateway_world {
  const settings& how;
  std::size_t rate;
  way direct;   ///< always a stream: the provider has no other answers
  way streamed; ///< through the server
  way whole;
};

[[nodiscard]] result<completion_score> run_way(const gateway_world& in, const way& by,
                                               round& to) {
  auto fleet = completion_fleet::open(by.port, connections, by.requests);
  if (!fleet)
    return std::unexpected{fleet.error()};
  auto score = fleet->run(in.rate, std::chrono::seconds{in.how.seconds});
  if (!score)
    return std::unexpected{score.error()};
  if (by.name != in.whole.name)
    add_percentiles(to, by.name + ", first token", score->first, {50, 99});
  add_percentiles(to, by.name + ", whole", score->whole, {50, 99});
  to.push_back({by.name + ", refused", "", static_cast<double>(score->refused), true});
  to.push_back({by.name + ", asked late", "", static_cast<double>(score->late)});
  return score;
}

void add_difference(round& to, const std::string& name, const histogram& through,
                    const histogram& direct) {
  for (const auto percent : {50, 99}) {
    const auto share = percent / 100.0;
    const auto added = through.percentile(share) - direct.percentile(share);
    to.push_back({std::format("{} p{}", name, percent), "ms",
                  std::chrono::duration<double, std::milli>{added}.count()});
  }
}

[[nodiscard]] result<round> run_round(const gateway_world& in) {
  auto values = round{};
  const auto direct = run_way(in, in.direct, values);
  if (!direct)
    return std::unexpected{direct.error()};
  const auto streamed = run_way(in, in.streamed, values);
  if (!streamed)
    return std::unexpected{streamed.error()};
  const auto whole = run_way(in, in.whole, values);
  if (!whole)
    return std::unexpected{whole.error()};
  add_difference(values, "added to the first token", streamed->first, direct->first);
  add_difference(values, "added to a stream", streamed->whole, direct->whole);
  add_difference(values, "added to a whole answer", whole->whole, direct->whole);
  return values;
}

[[nodiscard]] result<gateway_world> make_world(const settings& how,
                                               const token_provider& provider,
                                               const running_server& server) {
  const auto people = sign_up(server, people_count);
  if (!people)
    return std::unexpected{people.error()};
  const auto upstream = port_of(provider.url());
  auto made = gateway_world{
      how,
      how.rate > 0 ? how.rate : default_rate,
      {"provider", upstream, {question(upstream, "/v1/chat/completions", "x", true)}},
      {"server", server.port, {}},
      {"server, not streamed", server.port, {}}};
  for (const auto& one : *people) {
    made.streamed.requests.push_back(
        question(server.port, "/v1/chat/completions", one.token, true));
    made.whole.requests.push_back(
        question(server.port, "/v1/chat/completions", one.token, false));
  }
  return made;
}

} // namespace

result<findings> run_gateway(const settings& how) {
  ops::open_log("warn");
  const auto pace = how.tokens_per_second > 0 ? how.tokens_per_second : default_pace;
  const auto provider = token_provider::start(tokens_of_answer, pace);
  if (!provider)
    return std::unexpected{provider.error()};
  auto as = launch{};
  as.flags = {"--engine-url",       provider->url(), "--engine-model",     "bench",
              "--embedding-engine", "none",          "--gateway-per-user", "1000"};
  const auto on = start_scratch_server(how, as);
  if (!on)
    return std::unexpected{on.error()};
  const auto world = make_world(how, *provider, on->server);
  if (!world)
    return std::unexpected{world.error()};
  auto found = findings{"gateway",
                        {{"questions a second", std::to_string(world->rate)},
                         {"connections", std::to_string(connections)},
                         {"tokens of an answer", std::to_string(tokens_of_answer)},
                         {"tokens a second each", std::to_string(pace)},
                         {"seconds of each part", std::to_string(how.seconds)}},
                        {}};
  if (auto warm = run_round(*world); !warm)
    return std::unexpected{std::move(warm.error())};
  return hold_rounds(std::move(found), how.rounds,
                     [&](std::size_t) { return run_round(*world); });
}

} // namespace jessica::bench
