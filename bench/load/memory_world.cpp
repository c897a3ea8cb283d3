#include "bench/load/memory_world.hpp"

#include "bench/load/json_field.hpp"
#include "domain/ids.hpp"

#include <chrono>
#include <filesystem>
#include <format>
#include <thread>
#include <utility>

namespace jessica::bench {
namespace {

/// Where the database's log ends: whoever read to there knows all that was stored.
constexpr auto end_of_log = std::string_view{"select pg_current_wal_lsn()::text"};

std::string escaped(std::string_view text) {
  auto made = std::string{};
  for (const auto c : text)
    if (c == '"' || c == '\\')
      made.append(1, '\\').append(1, c);
    else
      made.append(1, c);
  return made;
}

} // namespace

std::vector<std::string> memory_world::options(const settings& how) {
  return {"--embedding-model-directory", std::filesystem::absolute(how.model).string(),
          "--memory-max-results", "100"};
}

result<memory_world> memory_world::make(const running_server& server,
                                        const std::filesystem::path& home) {
  auto http = http_client::connect(server.port);
  if (!http)
    return std::unexpected{std::move(http.error())};
  const auto who = sign_up(*http, server);
  if (!who)
    return std::unexpected{who.error()};
  auto made =
      memory_world{std::move(*http),
                   storage::connection{database_in(home), storage::role::migrations}};
  made.headers_ = std::format("apikey: {}\r\nAuthorization: Bearer {}\r\n"
                              "Prefer: return=minimal\r\n",
                              server.api_key, who->token);
  made.user_ = who->id;
  made.conversation_ = conversation_id::make().str();
  const auto stored =
      made.database_.run({"insert into public.conversations (id, user_id) values "
                          "($1::uuid, $2::uuid)",
                          {made.conversation_, made.user_}});
  if (!stored)
    return std::unexpected{stored.error()};
  return made;
}

result<void> memory_world::store(http_client& by, std::string_view id,
                                 std::string_view text) const {
  const auto answer = by.post(
      "/rest/v1/messages", headers_,
      std::format(
          R"({{"id":"{}","conversation_id":"{}","user_id":"{}","role":"user","content":"{}"}})",
          id, conversation_, user_, escaped(text)));
  if (!answer)
    return std::unexpected{answer.error()};
  if (answer->status != 201)
    return fail(errc::unavailable, std::format("a message was answered with {}: {}",
                                               answer->status, answer->body));
  return {};
}

result<std::string> memory_world::vector_of(std::string_view text) {
  const auto answer = http_.post("/functions/v1/embed-generator", headers_,
                                 std::format(R"({{"text":"{}"}})", escaped(text)));
  if (!answer)
    return std::unexpected{answer.error()};
  const auto begin = answer->body.find("[[");
  const auto end = answer->body.find(']', begin);
  if (answer->status != 200 || begin == std::string::npos || end == std::string::npos)
    return fail(errc::unavailable, std::format("a text was answered with {}: {}",
                                               answer->status, answer->body));
  return answer->body.substr(begin + 1, end - begin);
}

result<std::vector<std::string>> memory_world::search(std::string_view fields) {
  constexpr auto member = std::string_view{R"("message_id":")"};
  constexpr auto id_bytes = std::size_t{36};
  const auto answer = http_.post("/functions/v1/search-memory", headers_,
                                 std::format("{{{}}}", fields));
  if (!answer)
    return std::unexpected{answer.error()};
  if (answer->status != 200)
    return fail(errc::unavailable, std::format("a search was answered with {}: {}",
                                               answer->status, answer->body));
  auto ids = std::vector<std::string>{};
  for (auto at = answer->body.find(member); at != std::string::npos;
       at = answer->body.find(member, at + member.size()))
    ids.push_back(answer->body.substr(at + member.size(), id_bytes));
  return ids;
}

result<void> memory_world::settle() {
  constexpr auto tries = 1'200;
  constexpr auto pause = std::chrono::milliseconds{50};
  for (auto i = 0; i < tries; ++i) {
    const auto waiting = database_.run({"select count(*) from jessica.unembedded", {}});
    if (!waiting)
      return std::unexpected{waiting.error()};
    if (waiting->integer(0, 0) == 0) {
      const auto end = database_.run({std::string{end_of_log}, {}});
      if (!end)
        return std::unexpected{end.error()};
      return search(std::format(R"("query":"all","after_lsn":"{}")", end->text(0, 0)))
          .transform([](const auto&) {});
    }
    std::this_thread::sleep_for(pause);
  }
  return fail(errc::timeout, "texts still wait to be embedded");
}

} // namespace jessica::bench
