// Where messages go. Blocking; one thread at a time.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "mail/message.hpp"

#include <atomic>
#include <filesystem>
#include <memory>

namespace jessica::mail {

class sender {
public:
  virtual ~sender() = default;
  sender() = default;
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  /// Hands a message over. Fails: invalid_input (refused for good: do not try again);
  /// unavailable, timeout or forbidden (refused us, not the message: try later).
  [[nodiscard]] virtual result<void> send(const message& what) = 0;
};

/// Set by who wants a running send() to end soon.
using stop_flag = std::shared_ptr<const std::atomic<bool>>;

/// Files `<time>-<kind>.eml` with mode 0600 in `folder`, which is made with 0700; only
/// the newest `keep` stay.
[[nodiscard]] std::unique_ptr<sender> make_sink(std::filesystem::path folder,
                                                std::size_t keep);

/// A server that takes mail (RFC 5321), reached by the mail.smtp_* settings; keeps its
/// connection for the next message.
[[nodiscard]] std::unique_ptr<sender> make_smtp(config::mail_settings how,
                                                stop_flag stop);

} // namespace jessica::mail
