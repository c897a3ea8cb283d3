// An HTTP server as exchanges know it: where it is, whom it must be, what it is sent,
// and the connections kept to it.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/connection_pool.hpp"
#include "engines/name_book.hpp"
#include "engines/provider_url.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>

namespace jessica::engines {

/// On the loop, but for what is const.
class peer {
public:
  /// Of the settings: url, proxy, ca_file, key, headers, connect_timeout and what is
  /// kept alive. Fails: invalid_input (a URL or certificates that cannot be used).
  [[nodiscard]] static result<std::unique_ptr<peer>>
  open(const config::provider_settings& settings, boost::asio::io_context& loop);

  [[nodiscard]] const config::provider_settings& settings() const noexcept {
    return settings_;
  }
  [[nodiscard]] const provider_url& url() const noexcept { return url_; }
  [[nodiscard]] const std::optional<provider_url>& proxy() const noexcept {
    return proxy_;
  }
  [[nodiscard]] tls_trust& trust() noexcept { return *trust_; }
  [[nodiscard]] connection_pool& idle() noexcept { return idle_; }
  [[nodiscard]] name_book& names() noexcept { return names_; }

private:
  peer(const config::provider_settings& settings, provider_url url,
       std::optional<provider_url> proxy, std::shared_ptr<tls_trust> trust,
       boost::asio::io_context& loop);

  config::provider_settings settings_;
  provider_url url_;
  std::optional<provider_url> proxy_;
  std::shared_ptr<tls_trust> trust_;
  connection_pool idle_;
  name_book names_;
};

} // namespace jessica::engines
