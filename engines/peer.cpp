#include "engines/peer.hpp"

#include <utility>

namespace jessica::engines {

peer::peer(const config::provider_settings& settings, provider_url url,
           std::optional<provider_url> proxy, std::shared_ptr<tls_trust> trust,
           boost::asio::io_context& loop)
    : settings_(settings),
      url_(std::move(url)),
      proxy_(std::move(proxy)),
      trust_(std::move(trust)),
      idle_(loop, settings.keep_alive_connections, settings.keep_alive),
      names_(loop) {}

result<std::unique_ptr<peer>> peer::open(const config::provider_settings& settings,
                                         boost::asio::io_context& loop) {
  auto url = parse_provider_url(settings.url);
  if (!url)
    return std::unexpected{std::move(url.error())};
  auto proxy = std::optional<provider_url>{};
  if (!settings.proxy.empty()) {
    auto way = parse_provider_url(settings.proxy);
    if (!way)
      return std::unexpected{std::move(way.error())};
    proxy = std::move(*way);
  }
  auto trust = tls_trust::open(settings.ca_file.string());
  if (!trust)
    return std::unexpected{std::move(trust.error())};
  return std::unique_ptr<peer>{
      new peer{settings, std::move(*url), std::move(proxy), std::move(*trust), loop}};
}

} // namespace jessica::engines
