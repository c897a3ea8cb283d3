#include "wire/ws_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto final_bit = 0x80U;
constexpr auto reserved_bits = 0x70U;
constexpr auto mask_bit = 0x80U;
constexpr auto control_bit = 0x08U;
constexpr auto largest_control = 125U;
constexpr auto two_bytes_follow = 126U;
constexpr auto eight_bytes_follow = 127U;

constexpr auto continuation = std::uint8_t{0};
constexpr auto text = std::uint8_t{1};
constexpr auto binary = std::uint8_t{2};
constexpr auto close = std::uint8_t{8};
constexpr auto ping = std::uint8_t{9};
constexpr auto pong = std::uint8_t{10};

/// A message grows by what it holds already, within these.
constexpr auto least_growth = std::size_t{1024};
constexpr auto most_growth = std::size_t{65'536};

[[nodiscard]] unsigned byte_at(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<unsigned char>(bytes[i]);
}

[[nodiscard]] std::uint64_t big_endian(std::string_view bytes) noexcept {
  auto value = std::uint64_t{0};
  for (const auto byte : bytes)
    value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

/// Codes a client may send (RFC 6455, sections 7.4.1 and 7.4.2).
[[nodiscard]] bool may_be_sent(std::uint64_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1013) ||
         (code >= 3000 && code <= 4999);
}

[[nodiscard]] ws_input broken(std::uint16_t code) {
  return {ws_input::kind::broken, code, {}};
}

[[nodiscard]] ws_input read_close(std::string_view payload) {
  if (payload.empty())
    return {ws_input::kind::close, ws_code::normal, {}};
  const auto code = big_endian(payload.substr(0, 2));
  auto reason = utf8_check{};
  if (payload.size() < 2 || !may_be_sent(code) || !reason.take(payload.substr(2)) ||
      !reason.whole())
    return broken(ws_code::protocol_error);
  return {ws_input::kind::close, static_cast<std::uint16_t>(code), {}};
}

} // namespace

bool ws_reader::reads_into_message() const noexcept {
  return frame_.open && frame_.opcode < control_bit && begin_ == end_ &&
         frame_.left > buffer_bytes;
}

std::span<char> ws_reader::room() {
  if (!reads_into_message()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, waiting().size());
    end_ = static_cast<std::uint8_t>(end_ - begin_);
    begin_ = 0;
    return std::span{buffer_}.subspan(end_);
  }
  if (message_.size() == taken_) {
    const auto growth = std::clamp(taken_, least_growth, most_growth);
    message_.resize(taken_ + std::min<std::size_t>(growth, frame_.left));
  }
  return std::span{message_}.subspan(taken_);
}

void ws_reader::filled(std::size_t bytes) noexcept {
  if (reads_into_message())
    raw_ = bytes;
  else
    end_ = static_cast<std::uint8_t>(end_ + bytes);
}

ws_input ws_reader::next() {
  auto out = ws_input{};
  for (auto at = step::go_on; at == step::go_on;) {
    if (!frame_.open)
      at = read_header(out);
    else if ((frame_.opcode & control_bit) != 0)
      at = take_control(out);
    else
      at = take_data(out);
  }
  return out;
}

std::string_view ws_reader::waiting() const noexcept {
  return {buffer_.data() + begin_, static_cast<std::size_t>(end_ - begin_)};
}

/// 0, or the code to fail with.
std::uint16_t ws_reader::fault_of(unsigned first, unsigned second) const noexcept {
  const auto opcode = first & 0x0fU;
  const auto is_control = (opcode & control_bit) != 0;
  const auto known = opcode <= binary || (opcode >= close && opcode <= pong);
  const auto control_fits =
      (first & final_bit) != 0 && (second & ~mask_bit) <= largest_control;
  const auto in_message = message_opcode_ != 0;
  const auto in_order = is_control || (opcode == continuation) == in_message;
  const auto fine = known && (first & reserved_bits) == 0 && (second & mask_bit) != 0 &&
                    (!is_control || control_fits) && in_order;
  return fine ? std::uint16_t{0} : ws_code::protocol_error;
}

ws_reader::step ws_reader::read_header(ws_input& out) {
  const auto bytes = waiting();
  if (bytes.size() < 2)
    return step::more;
  const auto first = byte_at(bytes, 0);
  const auto second = byte_at(bytes, 1);
  if (const auto code = fault_of(first, second); code != 0) {
    out = broken(code);
    return step::done;
  }
  const auto short_size = second & ~mask_bit;
  const auto size_bytes = short_size == eight_bytes_follow ? 8UZ
                          : short_size == two_bytes_follow ? 2UZ
                                                           : 0UZ;
  const auto header_bytes = 2 + size_bytes + frame_.mask.size();
  if (bytes.size() < header_bytes)
    return step::more;
  const auto size = size_bytes == 0 ? std::uint64_t{short_size}
                                    : big_endian(bytes.substr(2, size_bytes));
  const auto wasteful =
      (size_bytes == 2 && size < 126) || (size_bytes == 8 && size < 65'536);
  const auto is_control = ((first & 0x0fU) & control_bit) != 0;
  if (wasteful || (!is_control && size > limit_ - taken_)) {
    out = broken(wasteful ? ws_code::protocol_error : ws_code::too_big);
    return step::done;
  }
  frame_.left = size;
  std::ranges::copy(bytes.substr(2 + size_bytes, frame_.mask.size()),
                    frame_.mask.begin());
  frame_.mask_at = 0;
  frame_.opcode = static_cast<std::uint8_t>(first & 0x0fU);
  frame_.final = (first & final_bit) != 0;
  frame_.open = true;
  if (frame_.opcode == text || frame_.opcode == binary)
    message_opcode_ = frame_.opcode;
  begin_ = static_cast<std::uint8_t>(begin_ + header_bytes);
  return step::go_on;
}

ws_reader::step ws_reader::take_control(ws_input& out) {
  const auto part = waiting().substr(0, frame_.left);
  const auto before = control_.size();
  control_ += part;
  unmask(std::span{control_}.subspan(before));
  begin_ = static_cast<std::uint8_t>(begin_ + part.size());
  frame_.left -= part.size();
  if (frame_.left > 0)
    return step::more;
  frame_.open = false;
  return end_control(frame_.opcode, std::exchange(control_, {}), out);
}

ws_reader::step ws_reader::end_control(std::uint8_t opcode, std::string payload,
                                       ws_input& out) {
  if (opcode == close)
    out = read_close(payload);
  else
    out = {opcode == ping ? ws_input::kind::ping : ws_input::kind::pong, 0,
           std::move(payload)};
  return step::done;
}

ws_reader::step ws_reader::take_data(ws_input& out) {
  auto fresh = std::exchange(raw_, 0);
  if (fresh == 0) {
    const auto part = waiting().substr(0, frame_.left);
    fresh = part.size();
    message_.resize(std::max(message_.size(), taken_ + fresh));
    std::ranges::copy(part, message_.begin() + static_cast<std::ptrdiff_t>(taken_));
    begin_ = static_cast<std::uint8_t>(begin_ + fresh);
  }
  const auto bytes = std::span{message_}.subspan(taken_, fresh);
  unmask(bytes);
  taken_ += fresh;
  frame_.left -= fresh;
  const auto is_text = message_opcode_ == text;
  const auto over = frame_.left == 0 && frame_.final;
  if (is_text &&
      (!text_.take({bytes.data(), bytes.size()}) || (over && !text_.whole()))) {
    out = broken(ws_code::not_utf8);
    return step::done;
  }
  if (frame_.left > 0)
    return step::more;
  frame_.open = false;
  if (!frame_.final)
    return step::go_on;
  message_.resize(std::exchange(taken_, 0));
  out = {is_text ? ws_input::kind::text : ws_input::kind::binary, 0,
         std::exchange(message_, {})};
  message_opcode_ = 0;
  return step::done;
}

void ws_reader::unmask(std::span<char> bytes) noexcept {
  // The mask turned so that it fits the first byte, then eight bytes at a time.
  auto turned = frame_.mask;
  std::ranges::rotate(turned, turned.begin() + frame_.mask_at);
  auto mask = std::uint64_t{0};
  std::memcpy(&mask, turned.data(), turned.size());
  std::memcpy(reinterpret_cast<char*>(&mask) + turned.size(), turned.data(),
              turned.size());
  auto i = std::size_t{0};
  for (auto word = std::uint64_t{0}; i + sizeof word <= bytes.size();
       i += sizeof word) {
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= mask;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ turned[i % turned.size()]);
  frame_.mask_at = static_cast<std::uint8_t>((frame_.mask_at + bytes.size()) % 4);
}

} // namespace jessica::wire
