// Feeds the readers of REST's bodies, and of what functions answer with, whatever
// libFuzzer thinks of.
#include "wire/json_reader.hpp"
#include "wire/rest_body.hpp"
#include "wire/rest_settings.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void check_body(const std::string& text) {
  const auto body = wire::read_body(text);
  if (!body) {
    demand(body.error().code == errc::invalid_input);
    return;
  }
  // PostgreSQL reads the same text as json: it must be one value.
  demand(body->text == text && wire::valid_json(text));
  demand(std::ranges::adjacent_find(body->keys) == body->keys.end());
  demand(body->array || body->rows <= 1);
  demand(!body->objects || body->array || body->rows == 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = std::string{reinterpret_cast<const char*>(data), size};
  check_body(text);
  if (const auto status = wire::read_response_status(text, 200)) {
    demand(*status >= 200 && *status <= 599);
  }
  if (const auto headers = wire::read_response_headers(text)) {
    for (const auto& [name, value] : *headers) {
      demand(!name.empty());
      demand(!name.contains('\r') && !name.contains('\n'));
      demand(!value.contains('\r') && !value.contains('\n'));
    }
  }
  return 0;
}
