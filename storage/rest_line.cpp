#include "storage/rest_line.hpp"

#include "storage/pipeline.hpp"
#include "storage/rest_answer.hpp"
#include "storage/rest_fault.hpp"
#include "storage/rest_openapi.hpp"
#include "storage/rest_statement.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

class line final : public rest_line {
public:
  line(pipeline open, rest_limits limits) : open_(std::move(open)), limits_(limits) {}

  [[nodiscard]] std::optional<outcome> start(request what, schema_snapshot schema,
                                             commits how) override;
  [[nodiscard]] std::optional<outcome> settle() override;
  [[nodiscard]] std::optional<outcome> go_on() override;
  [[nodiscard]] bool lost() const noexcept override { return open_.lost(); }
  [[nodiscard]] bool gone() const override { return open_.gone(); }
  [[nodiscard]] bool unsent() const noexcept override { return open_.unsent(); }
  [[nodiscard]] int socket() const noexcept override { return open_.socket(); }
  [[nodiscard]] std::function<void()> stopper() const override {
    return [stop = open_.stop()] {
      if (stop)
        stop->send();
    };
  }

private:
  enum class step : std::uint8_t { idle, working, ending, settling };

  void assemble();
  [[nodiscard]] std::optional<outcome> send(std::span<const statement> statements,
                                            step next);
  [[nodiscard]] std::optional<outcome> worked(pipeline::outcome got);
  [[nodiscard]] std::optional<outcome> failed(error why);
  [[nodiscard]] std::optional<outcome> again();
  [[nodiscard]] std::optional<outcome> end(std::string_view word, outcome with);
  [[nodiscard]] outcome judged(std::span<const rows> all) const;

  pipeline open_;
  rest_limits limits_;
  std::uint64_t version_ = 0; ///< of the schema that the prepared statements fit

  step step_ = step::idle;
  request what_;
  schema_snapshot schema_;
  commits how_ = commits::durable;
  rest_statement made_;
  std::vector<statement> statements_;
  bool own_transaction_ = false; ///< it is ended by a statement of ours
  bool repeated_ = false;        ///< a failure that is repeated once was met
  std::optional<outcome> answer_;
};

std::optional<line::outcome> line::start(request what, schema_snapshot schema,
                                         commits how) {
  auto made = build_statement(*what, *schema, limits_.max_rows);
  if (!made)
    return std::unexpected{std::move(made.error())};
  // The types of parameters are those of the schema as it was.
  if (std::exchange(version_, schema->version) != schema->version)
    open_.forget_prepared();
  what_ = std::move(what);
  schema_ = std::move(schema);
  how_ = how;
  made_ = std::move(*made);
  repeated_ = false;
  assemble();
  if (auto fine = check_text(statements_); !fine)
    return std::unexpected{std::move(fine.error())};
  return send(statements_, step::working);
}

std::optional<line::outcome> line::settle() {
  const auto waits = statement{"select jessica.settle()", {}};
  return send(std::span{&waits, 1}, step::settling);
}

void line::assemble() {
  // A plan under row security belongs to a role. With the role in its text each role
  // has a prepared statement of its own; else roles in turn would plan it each time.
  const auto of_role = std::string{" -- "}.append(name(what_->who.role));
  statements_.clear();
  own_transaction_ = to_be_judged(*what_, made_) ||
                     (what_->prefer.undo.value_or(false) && !what_->read_only);
  if (own_transaction_)
    statements_.push_back({"begin", {}});
  statements_.push_back(become_of(*what_, *schema_, made_.mode, limits_, how_));
  statements_.push_back(made_.main);
  statements_.back().sql += of_role;
  if (made_.estimate)
    statements_.push_back(*made_.estimate);
}

std::optional<line::outcome> line::send(std::span<const statement> statements,
                                        step next) {
  step_ = next;
  if (open_.send(statements))
    return std::nullopt;
  step_ = step::idle;
  return std::unexpected{open_.loss()};
}

std::optional<line::outcome> line::go_on() {
  auto got = open_.advance();
  if (!got || step_ == step::idle)
    return std::nullopt;
  const auto was = std::exchange(step_, step::idle);
  if (was == step::working)
    return worked(std::move(*got));
  if (was == step::settling)
    return got->transform([](const auto&) { return rest_reply{}; });
  if (!*got && *answer_) // the commit failed
    return std::unexpected{std::move(got->error())};
  return std::exchange(answer_, {});
}

std::optional<line::outcome> line::worked(pipeline::outcome got) {
  if (!got)
    return failed(std::move(got.error()));
  const auto before = statements_.size() - (made_.estimate ? 2 : 1);
  auto answer = judged(std::span{*got}.subspan(before));
  if (!own_transaction_)
    return answer;
  const auto keep = answer && !what_->prefer.undo.value_or(false);
  return end(keep ? "commit" : "rollback", std::move(answer));
}

std::optional<line::outcome> line::failed(error why) {
  if (open_.lost())
    return std::unexpected{std::move(why)};
  if (unknown_time_zone(why, *what_)) {
    if (what_->prefer.strict.value_or(false))
      return end(
          "rollback",
          rest_fault(errc::invalid_input, "PGRST122",
                     "Invalid preferences given with handling=strict",
                     "Invalid preferences: timezone=" + what_->prefer.time_zone));
    auto without = std::make_shared<rest_request>(*what_);
    without->prefer.time_zone.clear();
    what_ = std::move(without);
    return again();
  }
  if (pipeline::is_stale(why) && !std::exchange(repeated_, true)) {
    open_.forget_prepared();
    return again();
  }
  return end("rollback", std::unexpected{std::move(why)});
}

std::optional<line::outcome> line::again() {
  assemble();
  if (own_transaction_) // the failed one is still open
    statements_.insert(statements_.begin(), {"rollback", {}});
  return send(statements_, step::working);
}

std::optional<line::outcome> line::end(std::string_view word, outcome with) {
  if (!own_transaction_)
    return with;
  answer_ = std::move(with);
  const auto last = statement{std::string{word}, {}};
  return send(std::span{&last, 1}, step::ending);
}

line::outcome line::judged(std::span<const rows> all) const {
  if (what_->action == rest_action::describe) {
    auto described = rest_reply{};
    described.body = openapi_of(*schema_, rights_of(all.front()), what_->target);
    return described;
  }
  auto reply = reply_of(*what_, made_, all, limits_.max_rows);
  if (auto fine = check_rows(*what_, made_.nothing, reply.rows); !fine)
    return std::unexpected{std::move(fine.error())};
  return reply;
}

} // namespace

result<std::unique_ptr<rest_line>> open_rest_line(const endpoint& where,
                                                  rest_limits limits) {
  return pipeline::open(where, role::requests, commits::durable)
      .transform([&](pipeline&& open) -> std::unique_ptr<rest_line> {
        return std::make_unique<line>(std::move(open), limits);
      });
}

} // namespace jessica::storage
