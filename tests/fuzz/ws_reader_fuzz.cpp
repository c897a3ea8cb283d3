// Feeds the reader of WebSocket frames whatever libFuzzer thinks of, cut in two ways:
// what is read must not depend on the cuts, and nothing may take too much memory.
#include "wire/ws_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace jessica;
using kind = wire::ws_input::kind;

constexpr auto limit = std::size_t{2000};

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

bool is_utf8(std::string_view text) {
  auto check = utf8_check{};
  return check.take(text) && check.whole();
}

std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  auto reader = wire::ws_reader{limit};
  auto out = std::vector<std::string>{};
  while (true) {
    const auto what = reader.next();
    if (what.what != kind::nothing) {
      demand(what.bytes.size() <= limit);
      demand(what.what != kind::text || is_utf8(what.bytes));
      demand(what.what != kind::ping || what.bytes.size() <= 125);
      out.push_back(std::to_string(static_cast<int>(what.what)) + ' ' +
                    std::to_string(what.code) + ' ' + what.bytes);
      if (what.what == kind::close || what.what == kind::broken) {
        demand(what.code >= 1000 && what.code < 5000);
        return out;
      }
      continue;
    }
    if (bytes.empty()) {
      return out;
    }
    const auto room = reader.room();
    demand(!room.empty());
    const auto size = std::min({bytes.size(), room.size(), piece});
    std::ranges::copy(bytes.substr(0, size), room.begin());
    reader.filled(size);
    bytes.remove_prefix(size);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto piece = std::size_t{1} + static_cast<unsigned char>(input.front());
  const auto bytes = input.substr(1);
  demand(read(bytes, bytes.size() + 1) == read(bytes, piece));
  return 0;
}
