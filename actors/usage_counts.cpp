#include "actors/usage_counts.hpp"

#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "wire/quota.hpp"

namespace jessica::actors {
namespace {

[[nodiscard]] ops::counter tokens_of(const char* kind) {
  return {"jessica_actors_usage_tokens_total",
          "Tokens that models read and wrote, as providers report or we estimate them",
          {{"kind", kind}}};
}

[[nodiscard]] ops::counter& refusals() {
  static auto counted = ops::counter{"jessica_actors_quota_refused_total",
                                     "Requests refused because a limit was reached"};
  return counted;
}

} // namespace

void note_usage(const usage& used) noexcept {
  static auto prompt = tokens_of("prompt");
  static auto completion = tokens_of("completion");
  prompt.add(static_cast<double>(used.prompt_tokens));
  completion.add(static_cast<double>(used.completion_tokens));
}

void note_refusal(user_id user, const error& why) {
  const auto refused = wire::read_refusal(why);
  if (!refused)
    return;
  refusals().add();
  ops::info("quota.refused", {{"user", user.str()}, {"limit", refused->limit}});
}

} // namespace jessica::actors
