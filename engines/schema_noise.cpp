#include "engines/schema_noise.hpp"

#include <iostream>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

namespace jessica::engines {
namespace {

/// The stream's buffer is one for the process.
std::mutex& one_at_a_time() {
  static auto lock = std::mutex{};
  return lock;
}

} // namespace

class schema_noise_guard::filter : public std::streambuf {
public:
  filter() : alone_{one_at_a_time()}, real_{std::cerr.rdbuf(this)} {}
  ~filter() override {
    std::cerr.rdbuf(real_);
    pass(line_);
  }
  filter(const filter&) = delete;
  filter& operator=(const filter&) = delete;

private:
  int_type overflow(int_type byte) override {
    if (traits_type::eq_int_type(byte, traits_type::eof()))
      return traits_type::not_eof(byte);
    line_ += traits_type::to_char_type(byte);
    if (line_.back() == '\n')
      end_line();
    return byte;
  }

  void end_line() {
    const auto noise = line_.starts_with("Schema error:");
    if (!noise && !(after_noise_ && line_ == "\n"))
      pass(line_);
    after_noise_ = noise;
    line_.clear();
  }

  void pass(std::string_view text) {
    real_->sputn(text.data(), static_cast<std::streamsize>(text.size()));
    real_->pubsync();
  }

  std::unique_lock<std::mutex> alone_;
  std::streambuf* real_;
  std::string line_;
  bool after_noise_ = false;
};

schema_noise_guard::schema_noise_guard() : filter_{std::make_unique<filter>()} {}
schema_noise_guard::~schema_noise_guard() = default;

} // namespace jessica::engines
