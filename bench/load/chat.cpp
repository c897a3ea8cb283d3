#include "bench/load/conversations.hpp"
#include "bench/load/json_field.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/stream_book.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto question = std::string_view{
    R"({"content":"My dog is called Rex and likes long walks. What did I tell you?"})"};
constexpr auto connect_limit = std::chrono::seconds{60};
constexpr auto round_limit = std::chrono::seconds{180};

class chat_round final : channel_fleet::listener {
public:
  /// Sessions begin evenly over the time of `ramp`.
  chat_round(std::size_t messages, clock::duration ramp)
      : messages_(messages), ramp_(ramp), fleet_(*this) {}

  [[nodiscard]] result<round> run(const running_server& server,
                                  std::span<const seat> seats);

private:
  struct session {
    explicit session(stream_tally& tally) : book(tally) {}
    stream_book book;
    std::size_t sent = 0;
    std::uint64_t ref = 0;
    clock::time_point sent_at;
    std::optional<clock::time_point> answered_at;
    std::string reply; ///< empty: not answered yet, or refused
  };

  void heard(std::size_t client, const message& what) override;
  void stored(session& of, const message& answer, clock::time_point at);
  void go_on(std::size_t client);
  void begin_due(clock::duration passed);
  void next(std::size_t client);
  [[nodiscard]] round measures(clock::duration took,
                               std::chrono::microseconds cpu) const;

  std::size_t messages_;
  clock::duration ramp_;
  std::size_t begun_ = 0; ///< sessions
  channel_fleet fleet_;
  stream_tally tally_;
  std::vector<session> sessions_;
  std::size_t finished_ = 0; ///< messages whose reply is over
  std::uint64_t refused_ = 0;
  histogram durable_;
  histogram first_token_;
  histogram after_commit_; ///< from the durable answer to the first token
};

result<round> chat_round::run(const running_server& server,
                              std::span<const seat> seats) {
  for (auto i = std::size_t{0}; i < seats.size(); ++i)
    sessions_.emplace_back(tally_);
  if (auto opened = fleet_.open(server.realtime(), seats, connect_limit); !opened)
    return std::unexpected{std::move(opened.error())};
  const auto how = join_options{.is_private = true, .self = false, .ack = true};
  if (auto joined = fleet_.join(how, connect_limit); !joined)
    return std::unexpected{std::move(joined.error())};
  const auto cpu = server.child.cpu_time();
  const auto begun = clock::now();
  const auto wanted = seats.size() * messages_;
  const auto done = [&] {
    begin_due(clock::now() - begun);
    return finished_ == wanted;
  };
  auto ran = fleet_.run(done, round_limit);
  if (!ran)
    return std::unexpected{std::move(ran.error())};
  return measures(clock::now() - begun, server.child.cpu_time() - cpu);
}

void chat_round::begin_due(clock::duration passed) {
  const auto all = static_cast<std::int64_t>(sessions_.size());
  const auto due = passed < ramp_ ? all * passed.count() / ramp_.count() : all;
  while (begun_ < static_cast<std::size_t>(due))
    next(begun_++);
}

void chat_round::heard(std::size_t client, const message& what) {
  auto& of = sessions_[client];
  const auto at = clock::now();
  if (what.kind == message::what::broadcast)
    of.book.take(what.event, what.payload, at);
  else if (what.kind == message::what::reply && what.ref == of.ref)
    stored(of, what, at);
  go_on(client);
}

void chat_round::stored(session& of, const message& answer, clock::time_point at) {
  const auto reply = text_field(answer.payload, "reply_id");
  of.answered_at = at;
  if (answer.ok && reply) {
    durable_.record(at - of.sent_at);
    of.reply = *reply;
  } else {
    ++refused_;
  }
}

/// The next message follows when this one is stored and its reply is over, in whatever
/// order the two were heard of.
void chat_round::go_on(std::size_t client) {
  auto& of = sessions_[client];
  if (!of.answered_at)
    return;
  const auto* stream = of.book.find(of.reply);
  if (!of.reply.empty() && (stream == nullptr || !stream->over))
    return;
  if (stream != nullptr && stream->first_token) {
    first_token_.record(*stream->first_token - of.sent_at);
    after_commit_.record(*stream->first_token - *of.answered_at);
  }
  of.book.forget(of.reply);
  ++finished_;
  next(client);
}

void chat_round::next(std::size_t client) {
  auto& of = sessions_[client];
  of.answered_at.reset();
  of.reply.clear();
  of.ref = 0;
  if (of.sent++ == messages_)
    return;
  of.sent_at = clock::now();
  of.ref = fleet_.broadcast(client, "message.send", question);
}

round chat_round::measures(clock::duration took, std::chrono::microseconds cpu) const {
  const auto seconds = std::chrono::duration<double>{took}.count();
  const auto replies = static_cast<double>(finished_);
  auto all =
      round{{"messages sent and answered", "1/s", replies / seconds},
            {"tokens delivered", "1/s", static_cast<double>(tally_.tokens) / seconds}};
  add_percentiles(all, "send to durable answer", durable_, {50, 95, 99});
  add_percentiles(all, "send to first token", first_token_, {50, 99});
  add_percentiles(all, "durable answer to first token", after_commit_, {50, 99});
  const auto cpu_us = static_cast<double>(cpu.count());
  all.push_back({"server processor time for a message", "us", cpu_us / replies});
  all.push_back({"server processor time for a token", "us",
                 cpu_us / static_cast<double>(tally_.tokens)});
  all.push_back({"round took", "s", seconds});
  const auto faults = {std::pair{"tokens missing in a stream", tally_.gaps},
                       std::pair{"tokens that came twice", tally_.duplicates},
                       std::pair{"replies that did not complete", tally_.failed},
                       std::pair{"messages refused", refused_}};
  for (const auto& [name, count] : faults)
    all.push_back({name, "", static_cast<double>(count), true});
  return all;
}

} // namespace

result<findings> run_chat(const settings& how) {
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  const auto seats = open_conversations(on->server, how.sessions, 1);
  if (!seats)
    return std::unexpected{seats.error()};
  // People do not all send in the same instant; without pauses there is no other way.
  const auto ramp = std::chrono::seconds{how.tokens_per_second == 0 ? 0 : 1};
  // Unreported: also outlasts the replies to the first messages.
  if (auto warm = chat_round{2, ramp}.run(on->server, *seats); !warm)
    return std::unexpected{std::move(warm.error())};
  auto found =
      findings{"chat",
               {{"sessions", std::to_string(how.sessions)},
                {"messages of each in a round", std::to_string(how.messages)},
                {"engine's tokens per second",
                 how.tokens_per_second == 0 ? "no pause"
                                            : std::to_string(how.tokens_per_second)}},
               {}};
  return hold_rounds(std::move(found), how.rounds, [&](std::size_t) {
    return chat_round{how.messages, ramp}.run(on->server, *seats);
  });
}

} // namespace jessica::bench
