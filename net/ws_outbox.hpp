// Frames from any thread to the sockets of one reactor. All outboxes of a reactor share
// one lane: what the reactor's own thread pushes takes no lock, a burst of another
// thread a short one each and one wake-up of the reactor.
#pragma once

#include "actors/outbox.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace jessica::net {

/// The reactor's end of an outbox: a WebSocket. Called on the reactor only.
class frame_sink {
public:
  virtual void take(wire::frame what) = 0;   ///< queue it; flush() follows
  virtual void flush() = 0;                  ///< send what is queued
  virtual void shut(std::uint16_t code) = 0; ///< close; 1013: drop what is queued

protected:
  ~frame_sink() = default;
};

class ws_outbox;

/// One for each reactor. Outboxes may outlive it and the reactor: they hold the lane,
/// which refuses everything once it is closed.
class outbox_lane {
public:
  explicit outbox_lane(boost::asio::io_context& reactor) : reactor_(reactor) {}

  /// Reactor. The outbox refuses frames from now on and forgets its sink.
  void remove(ws_outbox& box) noexcept;
  /// Reactor: what this thread puts in until release() leaves then, not a turn later.
  void hold() noexcept;
  void release();
  /// Reactor, before it goes: every outbox refuses from now on. Idempotent.
  void close() noexcept;

private:
  friend class ws_outbox;

  /// A sink's place. The generation tells a place's users apart.
  struct address {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
  };
  struct place {
    frame_sink* sink = nullptr;
    std::uint32_t generation = 0;
    bool dirty = false; ///< is in dirty_
  };
  struct delivery {
    address to;
    std::uint16_t code = 0; ///< not 0: close with it
    wire::frame what;
  };

  address add(frame_sink& sink);
  bool put(delivery what);
  void wake();
  void drain();
  void hand_out();
  void flush_some();
  place* find(address where) noexcept;

  boost::asio::io_context& reactor_;
  std::mutex lock_; // guards the next two, and who sets the third
  std::vector<delivery> incoming_;
  bool open_ = true;
  /// drain() is due: other threads' deliveries may wait, which none may overtake.
  std::atomic<bool> scheduled_{false};

  std::vector<delivery> working_; // the reactor's from here on
  std::vector<place> places_;
  std::vector<std::uint32_t> free_;
  std::vector<address> dirty_;
  std::size_t flushed_ = 0; ///< of dirty_
};

class ws_outbox final : public actors::outbox {
public:
  /// Reactor. Leads to `sink` until the lane's remove(); holds at most `limit_bytes`.
  [[nodiscard]] static std::shared_ptr<ws_outbox>
  open(std::shared_ptr<outbox_lane> lane, frame_sink& sink, std::size_t limit_bytes);

  ws_outbox(std::shared_ptr<outbox_lane> lane, outbox_lane::address where,
            std::size_t limit_bytes);

  bool push(wire::frame what) noexcept override;
  [[nodiscard]] std::size_t backlog() const noexcept override {
    return queued_bytes_.load(std::memory_order_relaxed);
  }
  void close(std::uint16_t code) noexcept override;

  /// Reactor: so many bytes of frames have left for the socket.
  void sent(std::size_t bytes) noexcept;
  /// Frames are refused from now on.
  void end() noexcept;

private:
  friend class outbox_lane;

  std::shared_ptr<outbox_lane> lane_;
  outbox_lane::address where_;
  std::size_t limit_bytes_;
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<bool> closed_{false};
};

} // namespace jessica::net
