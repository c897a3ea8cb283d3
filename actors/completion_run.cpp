#include "actors/completion_run.hpp"

#include <caf/send.hpp>

#include <atomic>
#include <utility>
#include <variant>

namespace jessica::actors {
namespace {

/// Not GATEWAY's own count: what an earlier one started must not be taken for this
/// one's.
[[nodiscard]] std::uint64_t next_number() {
  static auto last = std::atomic<std::uint64_t>{0};
  return ++last;
}

} // namespace

void completion_tally::see(const engines::engine_event& event) {
  const auto held = std::lock_guard{lock_};
  if (const auto* made = std::get_if<engines::text_made>(&event))
    tokens_ += made->tokens;
  else if (const auto* ended = std::get_if<engines::text_ended>(&event))
    reported_ = ended->used;
  else if (const auto* called = std::get_if<engines::tools_called>(&event))
    reported_ = called->used;
  else if (const auto* other = std::get_if<engines::model_changed>(&event))
    other_model_ = other->model;
  else
    failed_ = failed_ || std::holds_alternative<engines::text_failed>(event);
}

usage completion_tally::used() const {
  constexpr auto bytes_a_token = std::size_t{4};
  const auto held = std::lock_guard{lock_};
  return reported_.value_or(
      usage{static_cast<std::int64_t>(prompt_bytes_ / bytes_a_token), tokens_, true});
}

bool completion_tally::has_failed() const {
  const auto held = std::lock_guard{lock_};
  return failed_;
}

std::string completion_tally::other_model() const {
  const auto held = std::lock_guard{lock_};
  return other_model_;
}

completion_run::completion_run(gateway_actor home, std::size_t prompt_bytes)
    : home_(std::move(home)),
      number_(next_number()),
      tally_(std::make_shared<completion_tally>(prompt_bytes)) {}

completion_run::~completion_run() {
  if (const auto home = home_)
    caf::anon_send(home, finish());
}

void completion_run::asks(std::string model,
                          std::unique_ptr<engines::generation> generation) {
  model_ = std::move(model);
  generation_ = std::move(generation);
}

completion_ended completion_run::finish() {
  const auto asked = generation_ != nullptr;
  generation_.reset(); // no event comes after this
  home_ = nullptr;
  auto other = tally_->other_model();
  return {number_, asked ? tally_->used() : usage{},
          other.empty() ? std::move(model_) : std::move(other),
          asked && !tally_->has_failed()};
}

} // namespace jessica::actors
