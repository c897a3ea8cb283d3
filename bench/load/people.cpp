#include "bench/load/people.hpp"

#include "bench/load/json_field.hpp"
#include "domain/ids.hpp"
#include "storage/connection.hpp"

#include <format>

namespace jessica::bench {

result<person> sign_up(http_client& http, const running_server& server) {
  const auto answer =
      http.post("/auth/v1/signup", std::format("apikey: {}\r\n", server.api_key),
                R"({"data":{}})");
  if (!answer)
    return std::unexpected{answer.error()};
  const auto token = text_field(answer->body, "access_token");
  const auto id = text_field(answer->body, "id");
  if (answer->status != 200 || !token || !id)
    return fail(errc::unavailable,
                std::format("the server answered {} to a sign-up: {}", answer->status,
                            answer->body));
  return person{std::string{*id}, std::string{*token}};
}

result<std::vector<person>> sign_up(const running_server& server, std::size_t people) {
  auto http = http_client::connect(server.port);
  if (!http)
    return std::unexpected{std::move(http.error())};
  auto all = std::vector<person>{};
  while (all.size() < people) {
    auto one = sign_up(*http, server);
    if (!one)
      return std::unexpected{std::move(one.error())};
    all.push_back(std::move(*one));
  }
  return all;
}

result<std::vector<seat>> empty_conversations(const running_server& server,
                                              const std::filesystem::path& home,
                                              std::size_t conversations,
                                              std::size_t each) {
  const auto people = sign_up(server, (conversations + each - 1) / each);
  if (!people)
    return std::unexpected{people.error()};
  auto seats = std::vector<seat>{};
  auto ids = std::vector<storage::parameter>{};
  auto owners = std::vector<storage::parameter>{};
  for (auto i = std::size_t{0}; i < conversations; ++i) {
    const auto& owner = (*people)[i / each];
    const auto& id = ids.emplace_back(conversation_id::make().str());
    owners.emplace_back(owner.id);
    seats.push_back({std::format("realtime:conversation:{}", *id), owner.token});
  }
  auto db = storage::connection{database_in(home), storage::role::migrations};
  const auto stored =
      db.run({"insert into public.conversations (id, user_id) "
              "select * from unnest($1::uuid[], $2::uuid[])",
              {storage::array_literal(ids), storage::array_literal(owners)}});
  if (!stored)
    return std::unexpected{stored.error()};
  return seats;
}

} // namespace jessica::bench
