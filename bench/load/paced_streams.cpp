#include "bench/load/paced_streams.hpp"

#include "bench/load/json_field.hpp"

#include <algorithm>
#include <string_view>

namespace jessica::bench {
namespace {

constexpr auto question = std::string_view{
    R"({"content":"My dog is called Rex and likes long walks. What did I tell you?"})"};
constexpr auto connect_limit = std::chrono::seconds{60};
/// For the replies that are not over when the time is.
constexpr auto drain_limit = std::chrono::seconds{60};
/// People do not all send in the same instant.
constexpr auto ramp = paced_streams::clock::duration{std::chrono::seconds{1}};

} // namespace

result<void> paced_streams::open(const running_server& server,
                                 std::span<const seat> seats) {
  begin_anew(seats.size()); // joining hears what is being streamed already
  return clients_.open(server.realtime(), seats, connect_limit).and_then([&] {
    return clients_.join({.is_private = true, .self = false, .ack = true},
                         connect_limit);
  });
}

result<stream_score> paced_streams::run(clock::duration length) {
  begin_anew(clients_.size());
  length_ = length;
  begun_ = clock::now();
  const auto done = [&] {
    begin_due();
    return started_ == sessions_.size() && talking_ == 0;
  };
  const auto limit = std::chrono::ceil<fleet::seconds>(length) + drain_limit;
  if (auto ran = clients_.run(done, limit); !ran)
    return std::unexpected{std::move(ran.error())};
  return score_;
}

void paced_streams::begin_anew(std::size_t clients) {
  score_ = {};
  sessions_.clear();
  for (auto i = std::size_t{0}; i < clients; ++i)
    sessions_.emplace_back(score_.tally);
  started_ = 0;
}

void paced_streams::begin_due() {
  const auto whole = std::min(ramp, length_);
  const auto passed = std::min(clock::now() - begun_, whole);
  const auto all = static_cast<std::int64_t>(sessions_.size());
  const auto due = static_cast<std::size_t>(all * passed.count() / whole.count());
  for (; started_ < due; ++started_, ++talking_)
    send(started_);
}

void paced_streams::heard(std::size_t client, const message& what) {
  const auto at = clock::now();
  auto& of = sessions_[client];
  if (what.kind == message::what::broadcast)
    streamed(of, what, at);
  else if (what.kind == message::what::reply && what.ref == of.ref)
    stored(of, what, at);
  if (!over(of))
    return;
  if (at < begun_ + length_)
    send(client);
  else
    --talking_;
}

void paced_streams::streamed(session& of, const message& what, clock::time_point at) {
  of.book.take(what.event, what.payload, at);
  const auto id = text_field(what.payload, "id").value_or("");
  if (what.event == "reply.delta") {
    const auto first = number_field(what.payload, "first_seq").value_or(0);
    const auto last = number_field(what.payload, "seq").value_or(0);
    of.paces.try_emplace(std::string{id}, pace_).first->second.take(first, last, at);
  } else if (what.event == "reply.reset") {
    if (const auto found = of.paces.find(id); found != of.paces.end())
      found->second.clear();
  }
}

void paced_streams::stored(session& of, const message& answer, clock::time_point at) {
  of.answered = true;
  const auto reply = text_field(answer.payload, "reply_id");
  if (!answer.ok || !reply) {
    ++score_.refused;
    return;
  }
  score_.durable.record(at - of.sent_at);
  of.reply = *reply;
}

/// True once for each message: it is answered, and its reply is over or will not come.
/// The two are heard in whatever order.
bool paced_streams::over(session& of) {
  if (!of.answered)
    return false;
  const auto* stream = of.book.find(of.reply);
  if (!of.reply.empty() && (stream == nullptr || !stream->over))
    return false;
  if (stream != nullptr && stream->first_token)
    score_.first_token.record(*stream->first_token - of.sent_at);
  if (const auto found = of.paces.find(of.reply); found != of.paces.end()) {
    found->second.settle(score_.late);
    of.paces.erase(found);
  }
  of.book.forget(of.reply);
  of.answered = false;
  of.reply.clear();
  of.ref = 0;
  return true;
}

void paced_streams::send(std::size_t client) {
  auto& of = sessions_[client];
  of.sent_at = clock::now();
  of.ref = clients_.broadcast(client, "message.send", question);
}

} // namespace jessica::bench
