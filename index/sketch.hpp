// A bit of each dimension: enough to tell which few of many vectors are worth reading.
#pragma once

#include "index/distance.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jessica::index {

/// A query made ready for many sketches.
class sketched_query {
public:
  /// About the inner products with rows that lie one after the other, one for each
  /// number of `to`. A row that says nothing gives a NaN.
  void estimate(const std::byte* rows, std::span<float> to) const noexcept;
  /// Those of the estimates that are not below the bar, NaN included: a part of
  /// `places`, which has room for all.
  [[nodiscard]] std::span<std::uint32_t>
  not_below(std::span<const float> estimates, float bar,
            std::span<std::uint32_t> places) const noexcept;
  /// How far below `bar` a row may be estimated that truly reaches it: so many of the
  /// row's own errors.
  [[nodiscard]] float reach(float bar) const noexcept;
  /// More than nearly all rows have.
  [[nodiscard]] float usual_error() const noexcept { return usual_error_; }
  /// The standard deviation of what is estimated, for a query of length 1 that is at
  /// right angles to the row.
  [[nodiscard]] float error_of(const std::byte* row) const noexcept;

private:
  friend class sketch_code;
  /// The rotated query as integers of 4 bits: the first bit of all of them, and so on.
  std::vector<std::uint64_t> planes_;
  std::int32_t total_ = 0; ///< of these integers
  float step_ = 0;         ///< one of them as a float
  float length_ = 0;
  float rounding_ = 0; ///< what the integers are off by, as a part of a row's error
  float usual_error_ = 0;
  std::size_t words_ = 0; ///< of a row's bits
  std::size_t row_bytes_ = 0;
  const kernels* with_ = nullptr;
};

/// The layout of the sketches of vectors of one size.
///
/// All vectors are turned by the same rotation, drawn once, after which every number
/// tells about as much as every other; kept is the sign of each. The inner product with
/// a query is then estimated without bias, and how far off it is follows a normal
/// distribution that is known in advance, whatever the vectors are like. A vector whose
/// length is not 1 has no sketch: it must be read.
class sketch_code {
public:
  sketch_code(std::size_t dimensions, const kernels& with);

  [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
  /// `row` has row_bytes().
  void encode(std::span<const float> vector, std::byte* row) const noexcept;
  [[nodiscard]] sketched_query query(std::span<const float> vector) const;

private:
  [[nodiscard]] std::span<float> rotate(std::span<const float> vector,
                                        std::span<float> to) const noexcept;

  std::size_t bits_; ///< a power of two, at least a line of memory
  std::size_t row_bytes_;
  std::vector<float> signs_; ///< of each turn
  const kernels* with_;
};

} // namespace jessica::index
