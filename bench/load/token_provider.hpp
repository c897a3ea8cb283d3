// A provider of language models in a process of its own: streams tokens at a steady
// pace to thousands of connections, and says when it did what.
#pragma once

#include "domain/error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace jessica::bench {

/// Forked, so that neither its processor time nor its descriptors are the client's.
class token_provider {
public:
  /// `tokens` of each answer, so many a second. The first one is "<asked> <said> ":
  /// when the question was there and when the token went out, on the steady clock in
  /// ns. Only before the process has started threads. Fails: unavailable.
  [[nodiscard]] static result<token_provider> start(std::size_t tokens,
                                                    std::size_t per_second);
  token_provider(token_provider&& other) noexcept;
  token_provider& operator=(token_provider&&) = delete;
  ~token_provider();

  [[nodiscard]] std::string url() const;

private:
  token_provider(pid_t id, std::uint16_t port) : id_(id), port_(port) {}
  pid_t id_ = 0;
  std::uint16_t port_ = 0;
};

} // namespace jessica::bench
