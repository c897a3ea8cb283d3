#include "bench/load/sign_ins.hpp"

#include "bench/load/http_client.hpp"
#include "bench/load/json_field.hpp"

#include <format>
#include <utility>

namespace jessica::bench {

void sign_in_score::take(int status, std::string_view body,
                         http_fleet::clock::duration after) {
  if (status == 200 && text_field(body, "access_token"))
    waited.record(after);
  else if (status == 429)
    refused_after.record(after);
  else
    ++wrong;
}

result<std::vector<std::string>> make_signers(const running_server& server,
                                              std::size_t signers) {
  auto http = http_client::connect(server.port);
  if (!http)
    return std::unexpected{std::move(http.error())};
  const auto key = std::format("apikey: {}\r\n", server.api_key);
  auto requests = std::vector<std::string>{};
  while (requests.size() < signers) {
    const auto body =
        std::format(R"({{"email":"signer{}@bench.test","password":"a long walk {}"}})",
                    requests.size(), requests.size());
    const auto answer = http->post("/auth/v1/signup", key, body);
    if (!answer)
      return std::unexpected{answer.error()};
    if (answer->status != 200)
      return fail(errc::unavailable, std::format("the server answered {} to a sign-up: "
                                                 "{}",
                                                 answer->status, answer->body));
    requests.push_back(
        std::format("POST /auth/v1/token?grant_type=password HTTP/1.1\r\n"
                    "Host: 127.0.0.1:{}\r\n{}Content-Type: application/json\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    server.port, key, body.size(), body));
  }
  return requests;
}

result<sign_in_score> sign_in_crowd::run(http_fleet::clock::duration length) {
  const auto begun = http_fleet::clock::now();
  if (auto ran = connections_.run(length); !ran)
    return std::unexpected{std::move(ran.error())};
  score_.took = http_fleet::clock::now() - begun;
  return std::move(score_);
}

void sign_in_crowd::answered(std::size_t /*client*/, int status, std::string_view body,
                             http_fleet::clock::duration after) {
  score_.take(status, body, after);
}

} // namespace jessica::bench
