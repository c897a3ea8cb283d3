#include "bench/load/stream_book.hpp"

#include "bench/load/json_field.hpp"

namespace jessica::bench {

void stream_book::take(std::string_view event, std::string_view payload,
                       time_point at) {
  if (!event.starts_with("reply."))
    return;
  const auto id = text_field(payload, "id");
  if (!id) {
    ++tally_->gaps;
    return;
  }
  const auto attempt = number_field(payload, "attempt").value_or(0);
  const auto [found, fresh] = streams_.try_emplace(std::string{*id});
  auto& which = found->second;
  if (event == "reply.delta")
    return grow(which, !fresh && which.attempt == attempt, payload, at);
  if (event == "reply.started" || event == "reply.reset") {
    which.attempt = attempt;
    which.seq = 0;
  } else if (event == "reply.snapshot") {
    which.attempt = attempt;
    which.seq = number_field(payload, "seq").value_or(0);
  } else {
    end(which, event, payload);
  }
}

void stream_book::grow(stream& which, bool announced, std::string_view payload,
                       time_point at) {
  const auto first = number_field(payload, "first_seq").value_or(0);
  const auto last = number_field(payload, "seq").value_or(0);
  if (!announced || first > which.seq + 1 || last < first)
    ++tally_->gaps;
  else if (first <= which.seq)
    ++tally_->duplicates;
  else
    tally_->tokens += last - which.seq;
  which.attempt = number_field(payload, "attempt").value_or(0);
  which.seq = last;
  if (!which.first_token)
    which.first_token = at;
}

void stream_book::end(stream& which, std::string_view event, std::string_view payload) {
  which.over = true;
  if (event != "reply.completed") {
    ++tally_->failed;
    return;
  }
  ++tally_->completed;
  if (number_field(payload, "seq") != which.seq)
    ++tally_->gaps;
}

const stream_book::stream* stream_book::find(std::string_view reply) const {
  const auto found = streams_.find(reply);
  return found == streams_.end() ? nullptr : &found->second;
}

void stream_book::forget(std::string_view reply) {
  if (const auto found = streams_.find(reply); found != streams_.end())
    streams_.erase(found);
}

} // namespace jessica::bench
