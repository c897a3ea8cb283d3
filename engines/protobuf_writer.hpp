// Writes protocol buffers' wire format, as far as ONNX files need it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::engines {

/// One message; its bytes are the same for the same calls.
class protobuf_writer {
public:
  void number(std::uint32_t field, std::int64_t value);
  void real(std::uint32_t field, float value);
  void bytes(std::uint32_t field, std::string_view value);
  void message(std::uint32_t field, const protobuf_writer& value) {
    bytes(field, value.written_);
  }

  [[nodiscard]] const std::string& written() const& noexcept { return written_; }
  [[nodiscard]] std::string written() && noexcept { return std::move(written_); }

private:
  void varint(std::uint64_t value);
  void tag(std::uint32_t field, std::uint32_t wire_type);

  std::string written_;
};

} // namespace jessica::engines
