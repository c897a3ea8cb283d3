// JSON text, written straight into a string: no document is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Size of `text` as a JSON string, quotes and escapes included.
[[nodiscard]] std::size_t quoted_size(std::string_view text) noexcept;

/// Appends `text` as a JSON string. It must be UTF-8, which is passed through; only
/// quotes, backslashes and control characters are escaped.
void append_quoted(std::string& to, std::string_view text);

/// Writes one object, member by member. Keys must need no escape.
class object_writer {
public:
  /// `expected_bytes` is allocated at once; more is fine.
  explicit object_writer(std::size_t expected_bytes = 0);

  object_writer& text(std::string_view key, std::string_view value);
  object_writer& number(std::string_view key, std::int64_t value);
  object_writer& count(std::string_view key, std::uint64_t value);
  object_writer& flag(std::string_view key, bool value);
  /// `json` is spliced in as it is.
  object_writer& json(std::string_view key, std::string_view json);

  /// The finished object; the writer is spent.
  [[nodiscard]] std::string done();

private:
  void key(std::string_view name);

  std::string out_;
};

} // namespace jessica::wire
