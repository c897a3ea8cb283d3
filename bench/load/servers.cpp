#include "bench/load/servers.hpp"

#include "bench/load/json_field.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

namespace jessica::bench {
namespace {

namespace fs = std::filesystem;

constexpr auto ready_line = std::string_view{"\"server.ready\""};
/// The first start makes a database.
constexpr auto start_limit = std::chrono::seconds{90};

[[nodiscard]] result<running_server> when_ready(result<process> started) {
  if (!started)
    return std::unexpected{std::move(started.error())};
  const auto line = started->wait_for(ready_line, start_limit);
  if (!line)
    return std::unexpected{line.error()};
  const auto port = number_field(*line, "port");
  if (!port)
    return fail(errc::unavailable, "the server told no port: " + *line);
  return running_server{std::move(*started), static_cast<std::uint16_t>(*port), {}};
}

[[nodiscard]] result<std::string> api_key_in(const fs::path& home) {
  auto file = std::ifstream{home / "keys.json"};
  const auto text = std::string{std::istreambuf_iterator<char>{file}, {}};
  const auto key = text_field(text, "publishable_key");
  if (!key)
    return fail(errc::not_found, "no publishable_key in keys.json");
  return std::string{*key};
}

/// A developer's own settings must not change what is measured.
void forget_environment() {
  auto names = std::vector<std::string>{};
  for (auto** at = environ; *at != nullptr; ++at)
    if (const auto entry = std::string_view{*at}; entry.starts_with("JESSICA_"))
      names.emplace_back(entry.substr(0, entry.find('=')));
  for (const auto& name : names)
    ::unsetenv(name.c_str());
}

} // namespace

result<scratch_directory> scratch_directory::make(const settings& how) {
  auto broken = std::error_code{};
  fs::create_directories(how.scratch, broken);
  auto name = (fs::absolute(how.scratch) / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return fail(errc::unavailable, std::format("{}: {}", name, std::strerror(errno)));
  auto made = scratch_directory{fs::path{name}};
  // PostgreSQL may run as another user, who must get through.
  fs::permissions(made.path(), fs::perms{0755}, broken);
  return made;
}

scratch_directory::~scratch_directory() {
  auto ignored = std::error_code{};
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

ws_address running_server::realtime() const {
  return {port, std::format("/realtime/v1/websocket?apikey={}&vsn=2.0.0", api_key)};
}

ws_address running_server::peer(const relay_peer& which, std::string_view mode) const {
  if (which.is_socket_io)
    return {port, std::format("/socket.io/?EIO=4&transport=websocket&mode={}", mode)};
  return {port, std::format("/{}", mode)};
}

result<running_server> start_jessica(const settings& how, const fs::path& home,
                                     const launch& as) {
  forget_environment();
  const auto no_file = home / "jessica.toml"; // not the working directory's
  std::ofstream{no_file}.flush();
  auto command = std::vector<std::string>{how.jessica.string(),
                                          "up",
                                          "--config",
                                          no_file.string(),
                                          "--storage-directory",
                                          home.string(),
                                          "--net-port",
                                          "0",
                                          "--realtime-events-per-second",
                                          "100000",
                                          "--realtime-user-events-per-second",
                                          "1000000",
                                          "--realtime-user-joins-per-second",
                                          "1000000",
                                          "--realtime-bytes-per-second",
                                          "1GiB",
                                          "--realtime-user-bytes-per-second",
                                          "2GiB",
                                          "--realtime-max-clients",
                                          "1000000",
                                          "--inference-tokens-per-second",
                                          std::to_string(how.tokens_per_second)};
  if (as.keeps_silent) {
    command.emplace_back("--realtime-idle-timeout");
    command.emplace_back("1h");
  }
  command.insert(command.end(), as.flags.begin(), as.flags.end());
  if (how.slots > 0) {
    command.emplace_back("--inference-slots");
    command.push_back(std::to_string(how.slots));
  }
  auto server = when_ready(process::start(command, home / "server.log", as.core));
  if (!server)
    return server;
  auto key = api_key_in(home);
  if (!key)
    return std::unexpected{std::move(key.error())};
  server->api_key = std::move(*key);
  return server;
}

result<scratch_server> start_scratch_server(const settings& how, const launch& as) {
  auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{std::move(home.error())};
  auto server = start_jessica(how, home->path(), as);
  if (!server)
    return std::unexpected{std::move(server.error())};
  return scratch_server{std::move(*home), std::move(*server)};
}

storage::endpoint database_in(const fs::path& home) {
  const auto socket = home / "postgres" / "s";
  return {.conninfo =
              std::format("host='{}' port=5432 dbname=postgres", socket.string()),
          .switch_role = false};
}

result<running_server> start_peer(const settings& how, const relay_peer& which,
                                  const fs::path& home, std::optional<int> core) {
  const auto& node = which.needs_node20 ? how.node20 : how.node;
  return when_ready(process::start({node, (how.peer_scripts / which.script).string()},
                                   home / std::format("{}.log", which.name), core));
}

} // namespace jessica::bench
