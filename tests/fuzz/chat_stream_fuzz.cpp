// Feeds the readers of a provider's answer whatever libFuzzer thinks of, in pieces that
// the input chooses: what comes out must not depend on where it was cut.
#include "domain/utf8_check.hpp"
#include "engines/chat_chunk.hpp"
#include "engines/chat_stream.hpp"
#include "engines/retry_after.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace jessica;
using namespace jessica::engines;

constexpr auto limit = std::size_t{1024};

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void demand_text(std::string_view text) {
  auto check = utf8_check{};
  demand(check.take(text) && check.whole() && !text.contains('\0'));
}

struct reading {
  std::string text;
  std::string reasoning;
  std::string finish_reason;
  std::string calls; ///< names and arguments: ids may be made up
  bool ended = false;
  bool failed = false;
  friend bool operator==(const reading&, const reading&) = default;
};

reading read(std::string_view body, std::size_t size) {
  auto said = chat_stream{limit, "secret"};
  auto got = reading{};
  const auto take = [&] {
    const auto gained = said.take();
    demand((gained.tokens > 0) == !gained.text.empty());
    demand_text(gained.text);
    demand_text(gained.reasoning);
    got.text += gained.text;
    got.reasoning += gained.reasoning;
  };
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) {
    said.feed(body.substr(0, size));
    take();
  }
  said.end();
  take();
  demand(said.ended() != said.fault().has_value());
  got.finish_reason = said.finish_reason();
  const auto calls = said.ended() ? said.calls() : std::vector<tool_call>{};
  demand(calls.size() <= call_pieces::most_calls);
  for (const auto& one : calls) {
    demand_text(one.id);
    demand_text(one.name);
    demand_text(one.arguments);
    demand(!one.id.empty() && !one.name.empty());
    got.calls += one.name + '\n' + one.arguments + '\n';
  }
  got.ended = said.ended();
  got.failed = said.fault().has_value();
  return got;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto whole = read(input, input.size() + 1);
  for (const auto piece : {std::size_t{1}, std::size_t{3}, std::size_t{16}}) {
    demand(read(input, piece) == whole);
  }
  if (const auto chunk = read_chunk(input)) {
    demand_text(chunk->text);
    demand_text(chunk->reasoning);
  }
  (void)read_complaint(input);
  (void)read_models(input);
  const auto wait = read_retry_after(input, std::chrono::system_clock::time_point{});
  demand(!wait || (wait->count() >= 0 && *wait <= std::chrono::hours{24}));
  return 0;
}
