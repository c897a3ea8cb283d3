// One provider: its settings, what is known of its health, its connections.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/breaker.hpp"
#include "engines/chat_request.hpp"
#include "engines/fault.hpp"
#include "engines/peer.hpp"
#include "engines/slots.hpp"
#include "engines/tool_refusals.hpp"
#include "ops/metrics.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::engines {

/// The numbers of one provider on the metrics page.
struct provider_meters {
  explicit provider_meters(const std::string& provider);

  ops::counter requests;
  ops::counter tokens;
  ops::histogram first_token; ///< seconds
  ops::gauge open;            ///< streams under way
  ops::gauge waiting;         ///< replies that wait for a place
  ops::gauge breaker;         ///< 0 closed, 1 probing, 2 open
};

/// On the engine's loop, but for what is const.
class provider {
public:
  using clock = std::chrono::steady_clock;

  /// Fails: invalid_input (a URL or certificates that cannot be used).
  [[nodiscard]] static result<std::unique_ptr<provider>>
  open(const config::provider_settings& settings, boost::asio::io_context& loop);

  [[nodiscard]] const config::provider_settings& settings() const noexcept {
    return peer_->settings();
  }
  [[nodiscard]] peer& server() noexcept { return *peer_; }
  [[nodiscard]] prefill_style prefill() const noexcept { return prefill_; }
  /// Does it answer with this model, as far as the settings say?
  [[nodiscard]] bool offers(std::string_view model) const;
  /// Asked for when nobody names one; empty: it has to be asked what it has.
  [[nodiscard]] std::string own_model() const;
  /// What it said when it was asked; empty: it was not, or it has changed.
  [[nodiscard]] const std::string& found_model() const noexcept { return found_model_; }
  void remember_model(std::string name) { found_model_ = std::move(name); }

  /// False: it is not to be told of tools, or this model of it has refused them lately.
  [[nodiscard]] bool takes_tools(std::string_view model, clock::time_point now) const;
  /// With its words, for the log.
  void refused_tools(const std::string& model, tool_refusal how, std::string_view words,
                     clock::time_point now);

  [[nodiscard]] slots& places() noexcept { return places_; }
  [[nodiscard]] provider_meters& meters() noexcept { return meters_; }

  /// Empty: it may be asked now, and one of the three below must be told afterwards.
  [[nodiscard]] std::optional<provider_fault> refuse(clock::time_point now);
  void succeeded();
  /// The first token came: a probe need not last to its end.
  void answered();
  void failed(const provider_fault& why, clock::time_point now);
  /// The reply was stopped before the provider showed anything.
  void unused();
  /// It asked to be left alone until then.
  [[nodiscard]] clock::time_point paused_until() const noexcept {
    return paused_until_;
  }

private:
  explicit provider(std::unique_ptr<peer> server);
  void show_breaker();

  std::unique_ptr<peer> peer_;
  prefill_style prefill_;
  slots places_;
  breaker breaker_;
  clock::time_point paused_until_;
  std::string found_model_;
  tool_refusals without_tools_;
  provider_meters meters_;
};

} // namespace jessica::engines
