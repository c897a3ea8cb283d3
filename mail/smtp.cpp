#include "mail/sender.hpp"

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <format>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::mail {
namespace {

constexpr auto first_final_refusal = 500L;

struct end_handle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct end_list {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// What is still to be read of a message.
std::size_t read_some(char* to, std::size_t size, std::size_t count, void* from) {
  auto& left = *static_cast<std::string_view*>(from);
  const auto taken = left.substr(0, size * count);
  std::memcpy(to, taken.data(), taken.size());
  left.remove_prefix(taken.size());
  return taken.size();
}

/// Other than 0 ends the transfer.
int stop_asked(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

[[nodiscard]] std::string url_of(const config::mail_settings& how) {
  const auto six = how.smtp_host.contains(':');
  return std::format("{}://{}{}{}:{}", how.smtp_tls == "implicit" ? "smtps" : "smtp",
                     six ? "[" : "", how.smtp_host, six ? "]" : "", how.smtp_port);
}

[[nodiscard]] long milliseconds_of(std::chrono::seconds time) {
  return static_cast<long>(std::chrono::milliseconds{time}.count());
}

class smtp final : public sender {
public:
  smtp(config::mail_settings how, stop_flag stop)
      : how_{std::move(how)}, stop_{std::move(stop)} {}

  result<void> send(const message& what) override {
    if (auto ready = open(); !ready)
      return ready;
    auto recipients = std::unique_ptr<curl_slist, end_list>{
        curl_slist_append(nullptr, what.to.c_str())};
    auto left = std::string_view{what.bytes};
    auto why = std::array<char, CURL_ERROR_SIZE>{};
    auto* const curl = handle_.get();
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, what.from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl, CURLOPT_READDATA, &left);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(what.bytes.size()));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
    const auto code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, nullptr);
    curl_easy_setopt(curl, CURLOPT_READDATA, nullptr);
    if (code == CURLE_OK)
      return {};
    return judge(code, why.data());
  }

private:
  [[nodiscard]] result<void> open() {
    if (handle_)
      return {};
    static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started == CURLE_OK)
      handle_.reset(curl_easy_init());
    if (!handle_)
      return fail(errc::unavailable, "libcurl does not start");
    auto* const curl = handle_.get();
    curl_easy_setopt(curl, CURLOPT_URL, url_of(how_).c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &read_some);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds_of(how_.connect_timeout));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds_of(how_.timeout));
    // Without it a password or a code would go over the wire as it is.
    curl_easy_setopt(
        curl, CURLOPT_USE_SSL,
        static_cast<long>(how_.smtp_tls == "none" ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!how_.ca_file.empty())
      curl_easy_setopt(curl, CURLOPT_CAINFO, how_.ca_file.c_str());
    if (!how_.smtp_user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, how_.smtp_user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, how_.smtp_password.c_str());
    }
    if (stop_) {
      curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &stop_asked);
      curl_easy_setopt(curl, CURLOPT_XFERINFODATA,
                       const_cast<std::atomic<bool>*>(stop_.get()));
    }
    return {};
  }

  /// The server's last word decides whether the message will ever be taken.
  [[nodiscard]] std::unexpected<error> judge(CURLcode code, const char* why) {
    auto said = 0L;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &said);
    auto text =
        std::format("{} ({})", *why == '\0' ? curl_easy_strerror(code) : why, said);
    if (code == CURLE_LOGIN_DENIED)
      return fail(errc::forbidden, std::move(text));
    if (code == CURLE_OPERATION_TIMEDOUT)
      return fail(errc::timeout, std::move(text));
    const auto about_message = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
                               code == CURLE_WEIRD_SERVER_REPLY ||
                               code == CURLE_UPLOAD_FAILED;
    if (about_message && said >= first_final_refusal)
      return fail(errc::invalid_input, std::move(text));
    return fail(errc::unavailable, std::move(text));
  }

  config::mail_settings how_;
  stop_flag stop_;
  std::unique_ptr<CURL, end_handle> handle_;
};

} // namespace

std::unique_ptr<sender> make_smtp(config::mail_settings how, stop_flag stop) {
  return std::make_unique<smtp>(std::move(how), std::move(stop));
}

} // namespace jessica::mail
