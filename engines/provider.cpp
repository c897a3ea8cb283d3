#include "engines/provider.hpp"

#include "ops/log.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace jessica::engines {
namespace {

const auto latency_bounds =
    std::vector<double>{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120};

/// "gpt-*" stands for all that begin so.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view model) {
  return pattern.ends_with('*')
             ? model.starts_with(pattern.substr(0, pattern.size() - 1))
             : model == pattern;
}

} // namespace

provider_meters::provider_meters(const std::string& provider)
    : requests("jessica_engines_requests_total", "Questions sent to a provider",
               {{"provider", provider}}),
      tokens("jessica_engines_tokens_total", "Tokens a provider streamed",
             {{"provider", provider}}),
      first_token("jessica_engines_first_token_seconds",
                  "From the question to the first token", latency_bounds,
                  {{"provider", provider}}),
      open("jessica_engines_open_streams", "Answers a provider is writing",
           {{"provider", provider}}),
      waiting("jessica_engines_waiting", "Replies that wait for a provider's place",
              {{"provider", provider}}),
      breaker("jessica_engines_breaker_state",
              "A provider's circuit breaker: 0 closed, 1 probing, 2 open",
              {{"provider", provider}}) {}

provider::provider(std::unique_ptr<peer> server)
    : peer_(std::move(server)),
      prefill_(read_prefill_style(settings().prefill)),
      places_(settings().max_concurrency, settings().queue),
      breaker_(settings().breaker_failures, settings().breaker_pause),
      meters_(settings().name) {}

result<std::unique_ptr<provider>>
provider::open(const config::provider_settings& settings,
               boost::asio::io_context& loop) {
  auto server = peer::open(settings, loop);
  if (!server)
    return std::unexpected{std::move(server.error())};
  return std::unique_ptr<provider>{new provider{std::move(*server)}};
}

bool provider::offers(std::string_view model) const {
  return settings().models.empty() || model == settings().model ||
         std::ranges::any_of(settings().models,
                             [&](const auto& one) { return matches(one, model); });
}

std::string provider::own_model() const {
  if (!settings().model.empty())
    return settings().model;
  const auto named = std::ranges::find_if(
      settings().models, [](const auto& one) { return !one.ends_with('*'); });
  return named == settings().models.end() ? std::string{} : *named;
}

bool provider::takes_tools(std::string_view model, clock::time_point now) const {
  return settings().tools && !without_tools_.hold(model, now);
}

void provider::refused_tools(const std::string& model, tool_refusal how,
                             std::string_view words, clock::time_point now) {
  const auto lasts = how == tool_refusal::for_a_while;
  const auto pause =
      lasts ? std::chrono::seconds{tool_refusals::kept_for} : std::chrono::seconds{};
  ops::warn("engine.without_tools", {{"provider", settings().name},
                                     {"model", model},
                                     {"detail", words},
                                     {"pause_s", pause.count()}});
  if (lasts)
    without_tools_.remember(model, now);
}

void provider::show_breaker() {
  meters_.breaker.set(static_cast<double>(breaker_.now_is()));
}

std::optional<provider_fault> provider::refuse(clock::time_point now) {
  if (now < paused_until_)
    return provider_fault{fault_kind::rate_limited, "it asked to be left alone"};
  if (!breaker_.allow(now))
    return provider_fault{fault_kind::left_alone};
  show_breaker();
  return std::nullopt;
}

void provider::succeeded() {
  if (breaker_.now_is() != breaker::state::closed)
    ops::info("engine.recovered", {{"provider", settings().name}});
  breaker_.succeeded();
  show_breaker();
}

void provider::answered() {
  if (breaker_.now_is() == breaker::state::probing)
    succeeded();
}

void provider::failed(const provider_fault& why, clock::time_point now) {
  if (why.retry_after)
    paused_until_ = std::max(paused_until_, now + *why.retry_after);
  if (!rule_of(why.kind).counts) {
    unused();
  } else if (breaker_.failed(now)) {
    ops::warn("engine.left_alone", {{"provider", settings().name},
                                    {"pause_ms", settings().breaker_pause.count()}});
  }
  show_breaker();
}

void provider::unused() {
  breaker_.unused();
  show_breaker();
}

} // namespace jessica::engines
