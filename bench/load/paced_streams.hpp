// Conversations whose replies are written at a steady pace, one after the other.
#pragma once

#include "bench/load/channel_fleet.hpp"
#include "bench/load/pace_book.hpp"
#include "bench/load/servers.hpp"
#include "bench/load/stream_book.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace jessica::bench {

struct stream_score {
  histogram late;        ///< each token, against its reply's pace
  histogram durable;     ///< from the send to the answer with the ids
  histogram first_token; ///< from the send
  stream_tally tally;
  std::uint64_t refused = 0; ///< messages
};

class paced_streams final : channel_fleet::listener {
public:
  using clock = std::chrono::steady_clock;

  explicit paced_streams(std::size_t tokens_per_second)
      : pace_(tokens_per_second), clients_(*this) {}

  /// Connects and joins. Fails: as channel_fleet.
  [[nodiscard]] result<void> open(const running_server& server,
                                  std::span<const seat> seats);

  /// Every client sends, hears the whole reply and sends again, for so long; then the
  /// last replies are waited for. Fails: as channel_fleet::run.
  [[nodiscard]] result<stream_score> run(clock::duration length);

private:
  struct session {
    explicit session(stream_tally& tally) : book(tally) {}
    stream_book book;
    std::map<std::string, pace_book, std::less<>> paces; ///< by the reply's id
    std::uint64_t ref = 0;
    clock::time_point sent_at;
    bool answered = false;
    std::string reply; ///< empty: not answered yet, or refused
  };

  void heard(std::size_t client, const message& what) override;
  void streamed(session& of, const message& what, clock::time_point at);
  void stored(session& of, const message& answer, clock::time_point at);
  [[nodiscard]] bool over(session& of);
  void begin_anew(std::size_t clients);
  void begin_due();
  void send(std::size_t client);

  std::size_t pace_;
  channel_fleet clients_;
  std::vector<session> sessions_;
  stream_score score_;
  clock::time_point begun_; ///< this run
  clock::duration length_{};
  std::size_t started_ = 0; ///< sessions of this run
  std::size_t talking_ = 0; ///< of them, those that are not at their end
};

} // namespace jessica::bench
