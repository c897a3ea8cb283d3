#include "storage/pgoutput.hpp"
#include "tests/fixtures/pgoutput_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace jessica;

// Changes a message a little, in the ways in which bytes go wrong. Distributions of the
// standard library differ between libraries, the generator does not.
class mutator {
public:
  explicit mutator(std::vector<std::string> seeds) : seeds_{std::move(seeds)} {}

  std::string next() {
    auto bytes = pick();
    for (auto changes = 1 + below(3); changes > 0; --changes) {
      change(bytes);
    }
    return bytes;
  }

private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  const std::string& pick() { return seeds_[below(seeds_.size())]; }
  std::size_t place(const std::string& bytes) { return below(bytes.size() + 1); }

  void change(std::string& bytes) {
    const auto at = place(bytes);
    switch (below(6)) {
    case 0: // a bit flips
      if (at < bytes.size()) {
        bytes[at] =
            static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << below(8)));
      }
      break;
    case 1: // a byte that often matters
      if (at < bytes.size()) {
        constexpr auto odd = std::string_view{"\0\x01\x7f\x80\xffNKOtubRIUDTM", 17};
        bytes[at] = odd[below(odd.size())];
      }
      break;
    case 2: // the end is missing
      bytes.resize(at);
      break;
    case 3: // a part is missing
      bytes.erase(at, below(8));
      break;
    case 4: // a part comes twice
      bytes.insert(at, bytes.substr(at, below(8)));
      break;
    default: // the end of another message
    {
      const auto& other = pick();
      bytes = bytes.substr(0, at) + other.substr(std::min(at, other.size()));
      break;
    }
    }
  }

  std::mt19937 random_{20'240'601}; // NOLINT: the same numbers in every run
  std::vector<std::string> seeds_;
};

} // namespace

TEST_SUITE("storage.pgoutput") {
  TEST_CASE("200,000 damaged messages are decoded or refused, never misread") {
    constexpr auto messages = 200'000;
    auto damaged = mutator{test::one_of_each()};
    auto decoder = storage::pgoutput_decoder{};
    auto decoded = 0;
    auto bytes = std::size_t{0};
    for (auto i = 0; i < messages; ++i) {
      if (i % 16 == 0) { // damage sticks to what is remembered: begin anew
        decoder = {};
        REQUIRE(decoder.decode(test::announce_users()));
      }
      const auto got = decoder.decode(damaged.next());
      if (got) {
        ++decoded;
        bytes += std::visit(test::everything_read{}, *got);
      } else if (got.error().code != errc::internal || got.error().what.empty()) {
        FAIL("a refusal without a reason");
      }
    }
    // Both ways were taken often.
    CHECK(decoded > messages / 20);
    CHECK(decoded < messages / 2);
    CHECK(bytes > 0);
  }
}
