// Feeds the reader of HTTP answers whatever libFuzzer thinks of: the body must not
// depend on where the bytes were cut.
#include "engines/http_answer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace jessica::engines;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

struct reading {
  std::string body;
  unsigned status = 0;
  bool whole = false;
  friend bool operator==(const reading&, const reading&) = default;
};

/// False: it is no answer.
bool read(std::string_view bytes, std::size_t size, reading& to) {
  auto answer = http_answer{[&](std::string_view piece) { to.body += piece; }};
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    if (!answer.feed(bytes.substr(0, size))) {
      return false;
    }
  }
  to.whole = answer.whole();
  to.status = answer.has_header() ? answer.status() : 0;
  demand(!answer.keep_alive() || answer.whole());
  return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  auto whole = reading{};
  const auto good = read(input, input.size() + 1, whole);
  for (const auto piece : {std::size_t{1}, std::size_t{5}}) {
    auto parts = reading{};
    const auto good_parts = read(input, piece, parts);
    demand(!good || !good_parts || parts == whole);
  }
  return 0;
}
