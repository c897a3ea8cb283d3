// Feeds the readers of auth's bodies whatever libFuzzer thinks of.
#include "domain/utf8.hpp"
#include "wire/auth_json.hpp"
#include "wire/json_reader.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void check_refusal(const error& why) {
  demand(why.code == errc::invalid_input || why.code == errc::unauthenticated ||
         why.code == errc::forbidden || why.code == errc::too_large);
  demand(!why.what.empty());
}

void check_email(std::string_view email) {
  demand(email.contains('@') && !email.contains('\0'));
  for (const auto c : email) {
    demand(c < 'A' || c > 'Z');
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto min_password = std::size_t{6};
  const auto body = std::string_view{reinterpret_cast<const char*>(data), size};
  if (const auto asked = wire::read_sign_up(body, min_password)) {
    demand(wire::valid_json(asked->data) && asked->data.size() <= 4096);
    if (asked->email) {
      check_email(*asked->email);
      demand(asked->password.size() >= min_password);
    }
  } else {
    check_refusal(asked.error());
  }
  if (const auto asked = wire::read_password(body)) {
    demand(!asked->email.empty());
  } else {
    check_refusal(asked.error());
  }
  if (const auto token = wire::read_refresh_token(body)) {
    demand(!token->empty());
  } else {
    check_refusal(token.error());
  }
  return 0;
}
