// Feeds the decoder of the change feed whatever libFuzzer thinks of: a stream of
// messages, each after its length in two bytes, behind the description of one table.
#include "storage/pgoutput.hpp"
#include "storage/wal_frame.hpp"
#include "storage/wal_pieces.hpp"
#include "tests/fixtures/pgoutput_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <variant>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void check(const storage::feed_piece& piece) {
  demand(!piece.events.empty());
  for (const auto& event : piece.events) {
    (void)std::visit(test::everything_read{}, event);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto piece_events = std::size_t{4};
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  (void)storage::read_frame(input);
  auto decoder = storage::pgoutput_decoder{};
  auto cutter = storage::piece_cutter{piece_events, 1'024};
  demand(decoder.decode(test::announce_users()).has_value());
  for (auto in = storage::byte_reader{input}; !in.finished();) {
    const auto message = in.text(in.number<std::uint16_t>());
    if (!in.good()) {
      break;
    }
    auto decoded = decoder.decode(message);
    if (!decoded) {
      demand(decoded.error().code == errc::internal && !decoded.error().what.empty());
      continue; // a stream would end here; more is seen by going on
    }
    (void)std::visit(test::everything_read{}, *decoded);
    const auto piece = cutter.add(std::move(*decoded), lsn{1}, timestamp{});
    if (piece && *piece) {
      demand((*piece)->events.size() <= piece_events);
      check(**piece);
    }
  }
  return 0;
}
