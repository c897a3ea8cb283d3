#include "engines/json_post.hpp"

#include <curl/curl.h>

#include <array>
#include <format>
#include <utility>

namespace jessica::engines {
namespace {

struct end_handle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct end_list {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using header_list = std::unique_ptr<curl_slist, end_list>;

struct arriving {
  std::string body;
  std::size_t most = 0;
  bool too_long = false;
};

std::size_t take_piece(char* from, std::size_t size, std::size_t count, void* to) {
  auto& into = *static_cast<arriving*>(to);
  const auto bytes = size * count;
  into.too_long = into.body.size() + bytes > into.most;
  if (into.too_long)
    return CURL_WRITEFUNC_ERROR;
  into.body.append(from, bytes);
  return bytes;
}

[[nodiscard]] header_list headers_of(const std::string& bearer) {
  auto* list = curl_slist_append(nullptr, "Content-Type: application/json");
  list = curl_slist_append(list, "Accept: application/json");
  list = curl_slist_append(list, "Expect:"); // or a long body waits for a permission
  if (!bearer.empty())
    list = curl_slist_append(list, ("Authorization: Bearer " + bearer).c_str());
  return header_list{list};
}

} // namespace

struct json_post::line {
  std::unique_ptr<CURL, end_handle> handle;
};

json_post::json_post(std::string url, std::string bearer)
    : url_{std::move(url)}, bearer_{std::move(bearer)} {}

json_post::~json_post() = default;

std::unique_ptr<json_post::line> json_post::take_line() {
  static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto hold = std::lock_guard{lock_};
  if (stopped_ || started != CURLE_OK)
    return nullptr;
  if (idle_.empty())
    return std::make_unique<line>(std::unique_ptr<CURL, end_handle>{curl_easy_init()});
  auto taken = std::move(idle_.back());
  idle_.pop_back();
  return taken;
}

void json_post::give_back(std::unique_ptr<line> used) {
  curl_easy_reset(used->handle.get()); // keeps its connection
  const auto hold = std::lock_guard{lock_};
  idle_.push_back(std::move(used));
}

result<post_answer> json_post::send(const std::string& body,
                                    const post_limits& limits) {
  auto used = take_line();
  if (!used || !used->handle)
    return fail(errc::unavailable, "no connections are made any more");
  const auto headers = headers_of(bearer_);
  auto arrived = arriving{{}, limits.answer_bytes, false};
  auto why = std::array<char, CURL_ERROR_SIZE>{};
  // Asked once a second, or oftener: whether to go on.
  const auto stop_asked = [](void* self, curl_off_t, curl_off_t, curl_off_t,
                             curl_off_t) {
    auto& of = *static_cast<json_post*>(self);
    const auto hold = std::lock_guard{of.lock_};
    return of.stopped_ ? 1 : 0;
  };
  auto* const curl = used->handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_piece);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arrived);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(limits.connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.whole.count()));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION,
                   static_cast<curl_xferinfo_callback>(stop_asked));
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
  const auto code = curl_easy_perform(curl);
  auto answer = post_answer{};
  auto asked_pause = curl_off_t{0};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &asked_pause);
  give_back(std::move(used));
  if (arrived.too_long)
    return fail(errc::internal,
                std::format("the server's answer is longer than {} bytes",
                            limits.answer_bytes));
  if (code != CURLE_OK)
    return fail(code == CURLE_OPERATION_TIMEDOUT ? errc::timeout : errc::unavailable,
                why.front() == '\0' ? curl_easy_strerror(code) : why.data());
  answer.body = std::move(arrived.body);
  answer.retry_after = std::chrono::seconds{asked_pause};
  return answer;
}

bool json_post::pause(std::chrono::milliseconds length) {
  auto hold = std::unique_lock{lock_};
  return !stopping_.wait_for(hold, length, [this] { return stopped_; });
}

void json_post::stop() noexcept {
  {
    const auto hold = std::lock_guard{lock_};
    stopped_ = true;
  }
  stopping_.notify_all();
}

} // namespace jessica::engines
