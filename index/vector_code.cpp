#include "index/vector_code.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace jessica::index {
namespace {

constexpr auto largest_byte = 127;

std::size_t rounded(std::size_t bytes, std::size_t up_to) {
  return (bytes + up_to - 1) / up_to * up_to;
}

/// The largest number of a query whose sum with rows stays within 32 bits.
float largest_short(std::size_t dimensions) {
  const auto fits = std::size_t{std::numeric_limits<std::int32_t>::max()} /
                    (largest_byte * dimensions);
  return static_cast<float>(
      std::min(fits, std::size_t{std::numeric_limits<std::int16_t>::max()}));
}

/// Numbers without their signs are in the same order as their bits, which can be
/// compared many at a time.
float largest_of(std::span<const float> vector) {
  constexpr auto without_sign = std::int32_t{0x7fff'ffff};
  auto largest = std::int32_t{0};
  for (const auto x : vector)
    largest = std::max(largest, std::bit_cast<std::int32_t>(x) & without_sign);
  return std::bit_cast<float>(largest);
}

float scale_at(const std::byte* row, std::size_t offset) {
  auto scale = 0.0F;
  std::memcpy(&scale, row + offset, sizeof scale);
  return scale;
}

const float* floats(const std::byte* row) {
  return reinterpret_cast<const float*>(row);
}

const std::int8_t* bytes(const std::byte* row) {
  return reinterpret_cast<const std::int8_t*>(row);
}

} // namespace

float coded_query::operator()(const std::byte* row) const noexcept {
  if (shorts_.empty())
    return with_->floats(floats_.data(), floats(row), dimensions_);
  const auto sum = with_->shorts(shorts_.data(), bytes(row), dimensions_);
  return static_cast<float>(sum) * scale_ * scale_at(row, scale_at_);
}

sketched_query coded_query::sketched() const {
  if (shorts_.empty())
    return sketches_->query(floats_);
  auto vector = std::vector<float>(dimensions_);
  std::ranges::transform(shorts_, vector.begin(), [&](std::int16_t number) {
    return static_cast<float>(number) * scale_;
  });
  return sketches_->query(vector);
}

vector_code::vector_code(vector_form form, std::size_t dimensions)
    : form_{form},
      dimensions_{dimensions},
      scale_at_{rounded(dimensions, alignof(float))},
      row_bytes_{rounded(form == vector_form::float32 ? dimensions * sizeof(float)
                                                      : scale_at_ + sizeof(float),
                         row_alignment)},
      with_{&kernels_here().front()},
      sketches_{dimensions, *with_} {}

void vector_code::encode(std::span<const float> vector, std::byte* row) const noexcept {
  std::memset(row, 0, row_bytes_); // what is between the rows is in the file, too
  if (form_ == vector_form::float32)
    std::memcpy(row, vector.data(), vector.size_bytes());
  else
    encode_bytes(vector, row);
}

void vector_code::encode_bytes(std::span<const float> vector,
                               std::byte* row) const noexcept {
  const auto largest = largest_of(vector);
  if (largest == 0)
    return; // 0 everywhere, also the scale
  const auto numbers = reinterpret_cast<std::int8_t*>(row);
  auto squares = 0.0;
  for (auto i = std::size_t{0}; i < vector.size(); ++i) {
    const auto number = std::round(vector[i] / largest * largest_byte);
    numbers[i] = static_cast<std::int8_t>(number);
    squares += static_cast<double>(number) * static_cast<double>(number);
  }
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  std::memcpy(row + scale_at_, &scale, sizeof scale);
}

std::vector<float> vector_code::decode(const std::byte* row) const {
  if (form_ == vector_form::float32)
    return {floats(row), floats(row) + dimensions_};
  auto vector = std::vector<float>(dimensions_);
  const auto scale = scale_at(row, scale_at_);
  std::transform(
      bytes(row), bytes(row) + dimensions_, vector.begin(),
      [&](std::int8_t number) { return static_cast<float>(number) * scale; });
  return vector;
}

coded_query vector_code::query(std::span<const float> vector) const {
  auto made = coded_query{};
  made.dimensions_ = dimensions_;
  made.scale_at_ = scale_at_;
  made.with_ = with_;
  made.sketches_ = &sketches_;
  if (form_ == vector_form::float32) {
    made.floats_.assign(vector.begin(), vector.end());
    return made;
  }
  const auto largest = largest_of(vector);
  const auto steps = largest_short(dimensions_);
  made.scale_ = largest / steps;
  made.shorts_.resize(dimensions_);
  if (largest > 0)
    std::transform(vector.begin(), vector.end(), made.shorts_.begin(), [&](float x) {
      const auto number = x / largest * steps;
      return static_cast<std::int16_t>(number + std::copysign(0.5F, number));
    });
  return made;
}

float vector_code::between(const std::byte* a, const std::byte* b) const noexcept {
  if (form_ == vector_form::float32)
    return with_->floats(floats(a), floats(b), dimensions_);
  return static_cast<float>(with_->bytes(bytes(a), bytes(b), dimensions_)) *
         scale_at(a, scale_at_) * scale_at(b, scale_at_);
}

} // namespace jessica::index
