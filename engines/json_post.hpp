// Sends JSON to an HTTP server and waits for the answer, by libcurl.
#pragma once

#include "domain/error.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace jessica::engines {

struct post_limits {
  std::chrono::milliseconds connect{};
  std::chrono::milliseconds whole{};
  std::size_t answer_bytes = 0; ///< a longer answer is a failure
};

struct post_answer {
  long status = 0;
  std::string body;
  std::chrono::seconds retry_after{0}; ///< as the server asks; 0: it does not
};

/// One server; its connections are kept for the next call. All members from any thread.
class json_post {
public:
  /// `bearer` empty: no Authorization header.
  json_post(std::string url, std::string bearer);
  ~json_post();
  json_post(const json_post&) = delete;
  json_post& operator=(const json_post&) = delete;

  /// Any answer of HTTP is one. Blocks. Fails: timeout, unavailable (not reached, cut,
  /// stopped), internal (the answer is too long).
  [[nodiscard]] result<post_answer> send(const std::string& body,
                                         const post_limits& limits);

  /// Waits; false: stop() was called.
  [[nodiscard]] bool pause(std::chrono::milliseconds length);

  /// Ends calls and pauses under way, and those to come.
  void stop() noexcept;

private:
  struct line; ///< a handle of libcurl

  [[nodiscard]] std::unique_ptr<line> take_line();
  void give_back(std::unique_ptr<line> used);

  std::string url_;
  std::string bearer_;
  std::mutex lock_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  std::vector<std::unique_ptr<line>> idle_;
};

} // namespace jessica::engines
