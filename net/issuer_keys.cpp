#include "net/issuer_keys.hpp"

#include "ops/log.hpp"

#include <curl/curl.h>

#include <cstddef>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto most_bytes = std::size_t{256} << 10U;
constexpr auto connect_limit_ms = 3000L;
constexpr auto fetch_limit_ms = 5000L;
/// Keys that the issuer takes back are forgotten by then.
constexpr auto refresh_every = std::chrono::minutes{10};

struct transfer {
  std::string body;
  std::stop_token stop;
};

/// What libcurl calls with each piece; anything but `size` ends the transfer.
std::size_t take_piece(const char* bytes, std::size_t, std::size_t size, void* to) {
  auto& into = *static_cast<transfer*>(to);
  if (into.body.size() + size > most_bytes)
    return CURL_WRITEFUNC_ERROR;
  into.body.append(bytes, size);
  return size;
}

/// Called all the time; anything but 0 ends the transfer.
int look_for_stop(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<transfer*>(of)->stop.stop_requested() ? 1 : 0;
}

struct end_of_handle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using curl_handle = std::unique_ptr<CURL, end_of_handle>;

[[nodiscard]] bool prepare(CURL* handle, const std::string& url, transfer& into) {
  const auto set = [handle](CURLoption which, auto value) {
    return curl_easy_setopt(handle, which, value) == CURLE_OK;
  };
  return set(CURLOPT_URL, url.c_str()) && set(CURLOPT_PROTOCOLS_STR, "http,https") &&
         set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_USERAGENT, "jessica") &&
         set(CURLOPT_CONNECTTIMEOUT_MS, connect_limit_ms) &&
         set(CURLOPT_TIMEOUT_MS, fetch_limit_ms) &&
         set(CURLOPT_WRITEFUNCTION, &take_piece) && set(CURLOPT_WRITEDATA, &into) &&
         set(CURLOPT_NOPROGRESS, 0L) && set(CURLOPT_XFERINFOFUNCTION, &look_for_stop) &&
         set(CURLOPT_XFERINFODATA, &into);
}

[[nodiscard]] bool curl_is_ready() {
  static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
  return started == CURLE_OK;
}

} // namespace

result<std::string> fetch_document(const std::string& url,
                                   const std::stop_token& stop) {
  const auto handle = curl_handle{curl_is_ready() ? curl_easy_init() : nullptr};
  auto into = transfer{{}, stop};
  if (!handle || !prepare(handle.get(), url, into))
    return fail(errc::unavailable, "the transfer cannot be prepared");
  if (const auto done = curl_easy_perform(handle.get()); done != CURLE_OK)
    return fail(errc::unavailable, curl_easy_strerror(done));
  auto status = 0L;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200)
    return fail(errc::unavailable, "the answer is " + std::to_string(status));
  return std::move(into.body);
}

issuer_keys::issuer_keys(std::shared_ptr<wire::trusted_issuer> whose, std::string url,
                         std::chrono::milliseconds pause)
    : whose_(std::move(whose)),
      url_(std::move(url)),
      pause_(pause),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

issuer_keys::~issuer_keys() = default;

void issuer_keys::wait_for_first() const {
  first_.wait();
}

bool issuer_keys::fetch(const std::stop_token& stop) {
  const auto text = fetch_document(url_, stop);
  auto keys = text ? wire::key_ring::read_public(*text) : std::unexpected{text.error()};
  if (!keys) {
    ops::warn("issuer.keys_not_fetched",
              {{"issuer", whose_->name()}, {"cause", keys.error().what}});
    return false;
  }
  ops::info("issuer.keys_fetched",
            {{"issuer", whose_->name()}, {"keys", keys->all().size()}});
  whose_->use(std::move(*keys));
  return true;
}

/// Nobody can shorten it but who stops us.
void issuer_keys::sleep(const std::stop_token& stop) {
  auto held = std::unique_lock{lock_};
  never_.wait_for(held, stop, pause_, [] { return false; });
}

void issuer_keys::run(const std::stop_token& stop) {
  auto fetched = fetch(stop);
  tried_.set_value();
  while (!stop.stop_requested()) {
    sleep(stop);
    if (fetched)
      (void)whose_->wait_for_miss(stop, refresh_every);
    if (!stop.stop_requested())
      fetched = fetch(stop);
  }
}

} // namespace jessica::net
