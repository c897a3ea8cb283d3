// How a vector is laid out in memory: as it came, or as bytes with a scale of its own.
#pragma once

#include "index/distance.hpp"
#include "index/sketch.hpp"
#include "index/vector_index.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jessica::index {

/// A query made ready for many rows.
class coded_query {
public:
  /// The inner product with a row.
  [[nodiscard]] float operator()(const std::byte* row) const noexcept;
  /// The same query for the sketches of rows; the code must still be there.
  [[nodiscard]] sketched_query sketched() const;

private:
  friend class vector_code;
  std::vector<float> floats_;
  std::vector<std::int16_t> shorts_;
  float scale_ = 1;
  std::size_t dimensions_ = 0;
  std::size_t scale_at_ = 0; ///< where a row of bytes has its scale
  const kernels* with_ = nullptr;
  const sketch_code* sketches_ = nullptr;
};

/// The layout of a row of one form and size.
///
/// int8: a number for each dimension, the largest of them 127; then the factor that
/// gives the row length 1 again. A query has 16 bits for each number, so that rounding
/// costs accuracy on one side only, and the sum is taken in integers.
class vector_code {
public:
  /// The bytes of a row are many of this.
  static constexpr auto row_alignment = std::size_t{16};
  /// With more, a sum of integers would leave no bits to the query.
  static constexpr auto most_dimensions = std::size_t{16'384};

  vector_code(vector_form form, std::size_t dimensions);

  [[nodiscard]] std::size_t dimensions() const noexcept { return dimensions_; }
  [[nodiscard]] vector_form form() const noexcept { return form_; }
  [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }

  /// What is kept of a vector beside its row.
  [[nodiscard]] const sketch_code& sketches() const noexcept { return sketches_; }

  /// `row` has row_bytes().
  void encode(std::span<const float> vector, std::byte* row) const noexcept;
  [[nodiscard]] std::vector<float> decode(const std::byte* row) const;
  [[nodiscard]] coded_query query(std::span<const float> vector) const;
  /// The inner product of two rows.
  [[nodiscard]] float between(const std::byte* a, const std::byte* b) const noexcept;

private:
  void encode_bytes(std::span<const float> vector, std::byte* row) const noexcept;

  vector_form form_;
  std::size_t dimensions_;
  std::size_t scale_at_;
  std::size_t row_bytes_;
  const kernels* with_;
  sketch_code sketches_;
};

} // namespace jessica::index
