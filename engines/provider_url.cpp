#include "engines/provider_url.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace jessica::engines {
namespace {

constexpr auto plain_port = std::string_view{"80"};
constexpr auto tls_port = std::string_view{"443"};

[[nodiscard]] bool is_port(std::string_view text) {
  auto number = std::uint16_t{0};
  const auto [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc{} && end == text.data() + text.size() && number != 0;
}

[[nodiscard]] std::unexpected<error> refuse(std::string_view why) {
  return fail(errc::invalid_input, "the URL " + std::string{why});
}

} // namespace

std::string provider_url::authority() const {
  const auto own = port == (tls ? tls_port : plain_port);
  const auto name = host.contains(':') ? "[" + host + "]" : host;
  return own ? name : name + ":" + port;
}

std::string provider_url::host_and_port() const {
  return (host.contains(':') ? "[" + host + "]" : host) + ":" + port;
}

result<provider_url> parse_provider_url(std::string_view text) {
  auto url = provider_url{};
  if (text.starts_with("https://"))
    url.tls = true;
  else if (!text.starts_with("http://"))
    return refuse("must begin with http:// or https://");
  text.remove_prefix(url.tls ? 8 : 7);
  const auto slash = std::min(text.find('/'), text.size());
  auto where = text.substr(0, slash);
  url.path = text.substr(slash);
  while (url.path.ends_with('/'))
    url.path.pop_back();
  if (where.contains('@'))
    return refuse("must not hold a name or password");
  const auto bracket = where.starts_with('[') ? where.find(']') : where.npos;
  if (where.starts_with('[') && bracket == where.npos)
    return refuse("has a bracket without its end");
  const auto colon = bracket == where.npos ? where.find(':') : where.find(':', bracket);
  url.host =
      bracket == where.npos ? where.substr(0, colon) : where.substr(1, bracket - 1);
  url.port =
      colon == where.npos ? (url.tls ? tls_port : plain_port) : where.substr(colon + 1);
  if (url.host.empty() || !is_port(url.port))
    return refuse("needs a host, and a port from 1 to 65535 if any");
  return url;
}

} // namespace jessica::engines
