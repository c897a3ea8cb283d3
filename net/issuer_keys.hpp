// Keeps the keys of the trusted issuer fresh: a thread that fetches them now and then.
#pragma once

#include "domain/error.hpp"
#include "wire/trusted_issuer.hpp"

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace jessica::net {

/// GET of a small document over https (certificates are checked) or http: at most 256
/// KiB within 5 seconds, no redirects. Blocks; ends early when `stop` is asked for.
/// Fails: unavailable.
[[nodiscard]] result<std::string> fetch_document(const std::string& url,
                                                 const std::stop_token& stop);

/// Fetches at once, then every ten minutes, and when a token names an unknown key;
/// never twice within `pause`. When it fails, the keys we have stay. No request ever
/// waits for it.
class issuer_keys {
public:
  issuer_keys(std::shared_ptr<wire::trusted_issuer> whose, std::string url,
              std::chrono::milliseconds pause);
  ~issuer_keys(); ///< stops; a fetch under way is given up
  issuer_keys(const issuer_keys&) = delete;
  issuer_keys& operator=(const issuer_keys&) = delete;

  /// Waits until the first fetch has succeeded or failed.
  void wait_for_first() const;

private:
  void run(const std::stop_token& stop);
  [[nodiscard]] bool fetch(const std::stop_token& stop);
  void sleep(const std::stop_token& stop);

  std::shared_ptr<wire::trusted_issuer> whose_;
  std::string url_;
  std::chrono::milliseconds pause_;
  std::mutex lock_;
  std::condition_variable_any never_;
  std::promise<void> tried_;
  std::shared_future<void> first_{tried_.get_future()};
  std::jthread thread_; ///< last: it uses all the others
};

} // namespace jessica::net
