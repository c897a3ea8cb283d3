#include "storage/wal_stream.hpp"

#include "storage/pgoutput.hpp"
#include "storage/wal_frame.hpp"
#include "storage/wal_login.hpp"
#include "storage/wal_pieces.hpp"
#include "storage/wal_session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <format>
#include <random>
#include <utility>

namespace jessica::storage {
namespace {

using std::chrono::milliseconds;
using maybe_piece = result<std::optional<feed_piece>>;

// Where the server has no limit of its own.
constexpr auto default_silence = milliseconds{60'000};
// The longest wait of one call, so that no time overflows.
constexpr auto longest_wait = milliseconds{3'600'000};
// Under TLS libpq may hold bytes that the socket no longer shows.
constexpr auto tls_look = milliseconds{50};

// A slot's name has lower-case letters, digits and underscores, 63 at most.
std::string slot_name(std::string_view node) {
  constexpr auto longest = std::size_t{32};
  auto name = std::string{"jessica_"};
  for (const auto c : node.substr(0, longest)) {
    const auto plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const auto upper = c >= 'A' && c <= 'Z';
    name += plain ? c : upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  auto random = std::random_device{};
  return name + std::format("_{:08x}{:08x}", random(), random());
}

struct release_frame {
  void operator()(char* frame) const noexcept { PQfreemem(frame); }
};

timestamp wall_time() {
  return std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now());
}

} // namespace

struct wal_stream::state {
  wal_options options;
  session open; // null after a failure
  exported_slot slot;
  milliseconds silence{};
  bool streaming = false;
  pgoutput_decoder decoder;
  piece_cutter cutter{1, 1};
  lsn position;
  lsn told; // how far the server says that it is
  std::optional<timestamp> last_commit;
  wait_clock::time_point status_due;
  wait_clock::time_point heard;
  std::optional<wait_clock::time_point> asked; // for a sign of life

  result<void> connect(const endpoint& where);
  result<void> begin();
  maybe_piece next(wait_clock::time_point until);
  maybe_piece read_buffered();
  maybe_piece take(std::string_view frame);
  void take(const wal_alive& alive);
  result<void> send_status(wait_clock::time_point now, bool ask);
  result<void> send_if_due(wait_clock::time_point now);
  result<void> wait(wait_clock::time_point until);
  result<void> mind_silence(wait_clock::time_point now);
};

result<void> wal_stream::state::connect(const endpoint& where) {
  auto made = log_in_to_replicate(where);
  if (!made) {
    return std::unexpected{std::move(made.error())};
  }
  open = std::move(*made);
  if (auto pinned = pin_texts(open.get()); !pinned) {
    return pinned;
  }
  const auto server = sender_timeout(open.get());
  if (!server) {
    return std::unexpected{server.error()};
  }
  silence = server->value_or(default_silence);
  // The server must hear of us well before it loses its patience.
  options.status_interval = std::clamp(options.status_interval, milliseconds{1},
                                       std::max(milliseconds{1}, silence / 3));
  auto exported =
      create_slot(open.get(), slot_name(options.node), options.slot_timeout);
  if (!exported) {
    return std::unexpected{std::move(exported.error())};
  }
  slot = std::move(*exported);
  position = told = slot.start;
  cutter = piece_cutter{options.piece_events, options.piece_bytes};
  return {};
}

result<void> wal_stream::state::begin() {
  if (auto started = start_replication(open.get(), slot.name, options.publications);
      !started) {
    return started;
  }
  streaming = true;
  heard = wait_clock::now();
  status_due = heard + options.status_interval;
  return {};
}

result<void> wal_stream::state::send_status(wait_clock::time_point now, bool ask) {
  status_due = now + options.status_interval;
  const auto unsent = PQflush(open.get());
  if (unsent > 0) {
    return {}; // the server is not reading: the frame that waits says enough
  }
  const auto frame = status_frame(position, wall_time(), ask);
  if (unsent < 0 ||
      PQputCopyData(open.get(), frame.data(), static_cast<int>(frame.size())) < 0 ||
      PQflush(open.get()) < 0) {
    return std::unexpected{connection_lost(open.get())};
  }
  return {};
}

result<void> wal_stream::state::send_if_due(wait_clock::time_point now) {
  return now >= status_due ? send_status(now, false) : result<void>{};
}

void wal_stream::state::take(const wal_alive& alive) {
  told = std::max(told, alive.end);
  if (!cutter.inside()) {
    position = std::max(position, alive.end); // also the log of tables nobody published
  }
  if (alive.answer_now) {
    status_due = {};
  }
}

maybe_piece wal_stream::state::take(std::string_view bytes) {
  const auto frame = read_frame(bytes);
  if (!frame) {
    return std::unexpected{frame.error()};
  }
  if (const auto* const alive = std::get_if<wal_alive>(&*frame)) {
    take(*alive);
    return std::nullopt;
  }
  const auto& data = std::get<wal_data>(*frame);
  told = std::max(told, data.at);
  auto message = decoder.decode(data.message);
  if (!message) {
    return std::unexpected{std::move(message.error())};
  }
  auto piece = cutter.add(std::move(*message), data.at, data.sent);
  position = std::max(position, cutter.done());
  told = std::max(told, position);
  if (piece && *piece) {
    last_commit = (*piece)->committed;
  }
  return piece;
}

// What libpq holds already.
maybe_piece wal_stream::state::read_buffered() {
  for (;;) {
    auto* bytes = static_cast<char*>(nullptr);
    const auto size = PQgetCopyData(open.get(), &bytes, 1);
    const auto frame = std::unique_ptr<char, release_frame>{bytes};
    if (size == 0) {
      return std::nullopt;
    }
    if (size < 0) {
      return std::unexpected{size == -1 ? end_of_stream(open.get())
                                        : connection_lost(open.get())};
    }
    auto piece = take({bytes, static_cast<std::size_t>(size)});
    if (!piece || *piece) {
      return piece;
    }
  }
}

// Called when there was nothing to read: half of the patience goes by before we ask,
// the other half after.
result<void> wal_stream::state::mind_silence(wait_clock::time_point now) {
  if (asked && now - *asked >= silence / 2) {
    return fail(errc::unavailable, "PostgreSQL's replication stream is silent");
  }
  if (!asked && now - heard >= silence / 2) {
    asked = now;
    return send_status(now, true);
  }
  return {};
}

result<void> wal_stream::state::wait(wait_clock::time_point until) {
  const auto patience = (asked ? *asked : heard) + silence / 2;
  auto wake = std::min({until, status_due, patience});
  if (PQsslInUse(open.get()) != 0) {
    wake = std::min(wake, wait_clock::now() + tls_look);
  }
  const auto ready = wait_for_socket(open.get(), PQflush(open.get()) > 0, wake);
  if (!ready) {
    return std::unexpected{ready.error()};
  }
  if (PQconsumeInput(open.get()) == 0) {
    return std::unexpected{connection_lost(open.get())};
  }
  const auto now = wait_clock::now();
  if (!*ready) {
    return mind_silence(now);
  }
  heard = now;
  asked.reset();
  return {};
}

maybe_piece wal_stream::state::next(wait_clock::time_point until) {
  for (auto looked = false;; looked = true) {
    const auto now = wait_clock::now();
    if (auto sent = send_if_due(now); !sent) {
      return std::unexpected{std::move(sent.error())};
    }
    auto piece = read_buffered();
    if (!piece || *piece) {
      return piece;
    }
    if (looked && now >= until) {
      return std::nullopt;
    }
    if (auto waited = wait(until); !waited) {
      return std::unexpected{std::move(waited.error())};
    }
  }
}

wal_stream::wal_stream(std::unique_ptr<state> made) : state_{std::move(made)} {}
wal_stream::~wal_stream() = default;
wal_stream::wal_stream(wal_stream&&) noexcept = default;
wal_stream& wal_stream::operator=(wal_stream&&) noexcept = default;

result<wal_stream> wal_stream::open(const endpoint& where, const wal_options& options) {
  auto made = std::make_unique<state>();
  made->options = options;
  return made->connect(where).transform([&] { return wal_stream{std::move(made)}; });
}

const std::string& wal_stream::snapshot() const noexcept {
  return state_->slot.snapshot;
}
const std::string& wal_stream::slot() const noexcept {
  return state_->slot.name;
}
lsn wal_stream::position() const noexcept {
  return state_->position;
}
std::uint64_t wal_stream::lag() const noexcept {
  return state_->told.value - state_->position.value;
}
std::optional<timestamp> wal_stream::last_commit() const noexcept {
  return state_->last_commit;
}

result<void> wal_stream::start() {
  if (state_->open == nullptr || state_->streaming) {
    return fail(errc::unavailable, "the change feed has ended or begun before");
  }
  auto begun = state_->begin();
  if (!begun) {
    state_->open.reset();
  }
  return begun;
}

maybe_piece wal_stream::next(milliseconds wait) {
  if (state_->open == nullptr || !state_->streaming) {
    return fail(errc::unavailable, "the change feed has ended or did not begin");
  }
  auto piece = state_->next(wait_clock::now() + std::min(wait, longest_wait));
  if (!piece) {
    state_->open.reset();
  }
  return piece;
}

result<void> wal_stream::ask_position() {
  if (state_->open == nullptr || !state_->streaming) {
    return fail(errc::unavailable, "the change feed has ended or did not begin");
  }
  auto sent = state_->send_status(wait_clock::now(), true);
  if (!sent) {
    state_->open.reset();
  }
  return sent;
}

result<void> wal_stream::keep_alive() {
  if (state_->open == nullptr || !state_->streaming) {
    return fail(errc::unavailable, "the change feed has ended or did not begin");
  }
  const auto now = wait_clock::now();
  // Not reading, we cannot know whether the server is silent.
  state_->heard = now;
  state_->asked.reset();
  auto sent = state_->send_if_due(now);
  if (!sent) {
    state_->open.reset();
  }
  return sent;
}

} // namespace jessica::storage
