#include "storage/wal_frame.hpp"

#include "storage/pgoutput.hpp"
#include "storage/wal_bytes.hpp"

#include <cstdint>

namespace jessica::storage {

result<wal_frame> read_frame(std::string_view bytes) {
  auto in = byte_reader{bytes};
  const auto kind = in.byte();
  if (kind == 'w') {
    const auto at = lsn{in.number<std::uint64_t>()};
    (void)in.number<std::uint64_t>(); // for logical decoding the same place again
    const auto sent = from_server_time(in.number<std::int64_t>());
    const auto message = in.text(in.left());
    if (in.good()) {
      return wal_data{at, sent, message};
    }
  }
  if (kind == 'k') {
    const auto end = lsn{in.number<std::uint64_t>()};
    (void)in.number<std::int64_t>(); // the server's time
    const auto answer_now = in.byte() != 0;
    if (in.finished()) {
      return wal_alive{end, answer_now};
    }
  }
  return fail(errc::internal, "the replication stream has a frame that makes no sense");
}

std::string status_frame(lsn done, timestamp now, bool ask) {
  auto bytes = std::string{"r"};
  put(bytes, done.value); // written, flushed, applied: we keep nothing
  put(bytes, done.value);
  put(bytes, done.value);
  put(bytes, to_server_time(now));
  put(bytes, static_cast<std::uint8_t>(ask));
  return bytes;
}

} // namespace jessica::storage
