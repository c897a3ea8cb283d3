// Keeps onnxruntime's complaints about itself off standard error.
#pragma once

#include <memory>

namespace jessica::engines {

/// While it lives, lines of std::cerr that begin with "Schema error:", and the empty
/// line behind each, are dropped: where onnx is a library of its own, both it and
/// onnxruntime register the same operators, and the second says so hundreds of times.
/// All else is passed on. Guards are one at a time: another thread's waits. No other
/// thread may write to std::cerr while one begins or ends.
class schema_noise_guard {
public:
  schema_noise_guard();
  ~schema_noise_guard();
  schema_noise_guard(const schema_noise_guard&) = delete;
  schema_noise_guard& operator=(const schema_noise_guard&) = delete;

private:
  class filter;
  std::unique_ptr<filter> filter_;
};

} // namespace jessica::engines
