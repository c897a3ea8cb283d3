#include "storage/pipeline.hpp"

#include "storage/session_wait.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

namespace jessica::storage {
namespace {

// Statements a session keeps prepared: ours are a few dozen, the rest are the shapes of
// REST queries that come most.
constexpr auto prepared_limit = std::size_t{256};

} // namespace

statement_stop::statement_stop(const pg_conn* of)
    : cancel_(PQcancelCreate(const_cast<pg_conn*>(of))) {}

statement_stop::~statement_stop() {
  PQcancelFinish(cancel_);
}

void statement_stop::send() noexcept {
  if (cancel_ != nullptr)
    (void)PQcancelBlocking(cancel_);
}

result<void> check_text(std::span<const statement> statements) {
  for (const auto& one : statements)
    for (const auto& value : one.parameters)
      if (value && value->contains('\0'))
        return fail(errc::invalid_input, "text with a zero byte cannot be stored");
  return {};
}

result<pipeline> pipeline::open(const endpoint& where, std::string_view role,
                                commits how) {
  auto made = open_session(where, role);
  if (!made)
    return std::unexpected{std::move(made.error())};
  if (how == commits::lazy)
    if (auto set = execute(made->get(), "set synchronous_commit = off"); !set)
      return std::unexpected{std::move(set.error())};
  // Not blocking: every wait is ours, and has a limit.
  if (PQsetnonblocking(made->get(), 1) != 0 || PQenterPipelineMode(made->get()) == 0)
    return fail(errc::unavailable, message_of(made->get()));
  return pipeline{std::move(*made)};
}

pipeline::pipeline(session open)
    : open_(std::move(open)),
      prepared_(std::make_unique<statement_cache>(prepared_limit)) {}

bool pipeline::gone() const {
  return lost() || gone_while_idle(open_.get());
}

int pipeline::socket() const noexcept {
  return lost() ? -1 : PQsocket(open_.get());
}

std::shared_ptr<statement_stop> pipeline::stop() const {
  return lost() ? nullptr : std::make_shared<statement_stop>(open_.get());
}

// A table that a prepared statement reads has changed its shape, or somebody dropped
// our statements. Both show before anything is stored.
bool pipeline::is_stale(const error& why) {
  return why.sql && (why.sql->sqlstate == "26000" ||
                     (why.sql->sqlstate == "0A000" &&
                      why.sql->message.starts_with("cached plan must not change")));
}

pipeline::outcome pipeline::lose() {
  loss_ = failure_ ? std::move(*failure_)
          : lost() ? std::move(loss_)
                   : storage::lost(open_.get());
  failure_.reset();
  open_.reset();
  prepared_->clear();
  return std::unexpected{loss_};
}

bool pipeline::send_one(const statement& one, std::size_t index) {
  const auto entry = prepared_->use(one.sql);
  const auto* const name = entry.name.c_str();
  if (entry.fresh) {
    if (PQsendPrepare(open_.get(), name, one.sql.c_str(), 0, nullptr) == 0)
      return false;
    plan_.push_back({part::parsed, texts_.size()});
    texts_.push_back(one.sql);
  }
  auto values = std::vector<const char*>{};
  values.reserve(one.parameters.size());
  for (const auto& value : one.parameters)
    values.push_back(value ? value->c_str() : nullptr);
  plan_.push_back({part::rows, index});
  return PQsendQueryPrepared(open_.get(), name, static_cast<int>(values.size()),
                             values.data(), nullptr, nullptr, 0) != 0;
}

bool pipeline::send(std::span<const statement> statements) {
  if (lost())
    return false;
  plan_.clear();
  texts_.clear();
  at_ = good_ = 0;
  rows_.assign(statements.size(), {});
  failure_.reset();
  auto sent = true;
  // First in the pipeline, so that a failing statement cannot skip them.
  for (const auto& name : prepared_->take_evicted()) {
    sent = sent && PQsendClosePrepared(open_.get(), name.c_str()) != 0;
    plan_.push_back({part::closed});
  }
  for (auto i = std::size_t{0}; sent && i < statements.size(); ++i)
    sent = send_one(statements[i], i);
  sent = sent && PQpipelineSync(open_.get()) != 0;
  const auto left = sent ? PQflush(open_.get()) : -1;
  unsent_ = left > 0;
  if (left < 0)
    (void)lose();
  return left >= 0;
}

std::optional<pipeline::outcome> pipeline::advance() {
  if (lost())
    return std::unexpected{loss_};
  const auto left = PQflush(open_.get());
  if (left < 0 || PQconsumeInput(open_.get()) == 0)
    return lose();
  unsent_ = left > 0;
  while (PQisBusy(open_.get()) == 0)
    if (auto over = take(answer{PQgetResult(open_.get())}))
      return over;
  return std::nullopt;
}

std::optional<pipeline::outcome> pipeline::take(answer got) {
  if (got == nullptr) {
    // One more than the plan: an error of the commit comes as an answer of its own.
    if (PQstatus(open_.get()) != CONNECTION_OK || ++at_ > plan_.size() + 1)
      return lose();
    return std::nullopt;
  }
  switch (PQresultStatus(got.get())) {
  case PGRES_PIPELINE_SYNC:
    return finish();
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
  case PGRES_EMPTY_QUERY:
    good_ = at_ + 1;
    if (at_ < plan_.size() && plan_[at_].what == part::rows)
      rows_[plan_[at_].statement] = rows{got.release()};
    break;
  case PGRES_PIPELINE_ABORTED:
    break;
  case PGRES_FATAL_ERROR:
    if (!failure_)
      failure_ = error_of(open_.get(), got.get());
    break;
  default: // COPY: the stream would need an answer that we do not give
    failure_ = error{errc::invalid_input, "this statement cannot be pipelined", {}, {}};
    return lose();
  }
  return std::nullopt;
}

pipeline::outcome pipeline::finish() {
  if (!failure_)
    return std::move(rows_);
  forget_unparsed();
  return std::unexpected{*std::exchange(failure_, {})};
}

void pipeline::forget_unparsed() {
  for (auto i = std::min(good_, plan_.size()); i < plan_.size(); ++i)
    if (plan_[i].what == part::parsed)
      prepared_->forget(texts_[plan_[i].statement]);
}

} // namespace jessica::storage
