#include "storage/key_file.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

namespace fs = std::filesystem;
namespace test = jessica::test;
using jessica::errc;
using jessica::storage::key_set;
using jessica::storage::read_keys;
using jessica::storage::write_keys;

struct folder : test::temp_folder {
  folder() : temp_folder("keys") {}

  [[nodiscard]] fs::path file() const { return path / "keys.json"; }

  void put(std::string_view text) const {
    std::ofstream{file()} << text;
    fs::permissions(file(), fs::perms{0600});
  }
};

key_set sample() {
  return {.jwt_secret = std::string(64, 's'),
          .anon_key = "a.b.c",
          .service_key = "d.e.f",
          .publishable_key = "sb_publishable_x",
          .secret_key = "sb_secret_y"};
}

std::string read_text(const fs::path& file) {
  auto in = std::ifstream{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

constexpr auto others = std::string_view{
    R"("anon_key":"a","service_key":"b","publishable_key":"c","secret_key":"d")"};
const auto secret = std::string(32, 's');

} // namespace

TEST_SUITE("storage.key_file") {
  TEST_CASE("what was written is read back, odd characters too") {
    const auto dir = folder{};
    auto keys = sample();
    keys.jwt_secret += "\"\\/\n\t\x01 \xc3\xa9";
    REQUIRE(write_keys(dir.file(), keys));
    const auto got = read_keys(dir.file());
    REQUIRE(got);
    CHECK(got->jwt_secret == keys.jwt_secret);
    CHECK(got->anon_key == keys.anon_key);
    CHECK(got->service_key == keys.service_key);
    CHECK(got->publishable_key == keys.publishable_key);
    CHECK(got->secret_key == keys.secret_key);
  }

  TEST_CASE("the file is private and nothing else is left beside it") {
    const auto dir = folder{};
    const auto before = ::umask(0);
    const auto wrote = write_keys(dir.file(), sample());
    ::umask(before);
    REQUIRE(wrote);
    CHECK(fs::status(dir.file()).permissions() == fs::perms{0600});
    CHECK(std::distance(fs::directory_iterator{dir.path}, {}) == 1);
  }

  TEST_CASE("an existing file is never replaced") {
    const auto dir = folder{};
    REQUIRE(write_keys(dir.file(), sample()));
    const auto text = read_text(dir.file());
    auto other = sample();
    other.jwt_secret = std::string(64, 't');
    const auto again = write_keys(dir.file(), other);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == errc::conflict);
    CHECK(read_text(dir.file()) == text);
    CHECK(std::distance(fs::directory_iterator{dir.path}, {}) == 1);
  }

  TEST_CASE("keys that could not be read back are not written") {
    const auto dir = folder{};
    auto keys = sample();
    keys.jwt_secret = "short";
    CHECK(write_keys(dir.file(), keys).error().code == errc::invalid_input);
    keys = sample();
    keys.secret_key.clear();
    CHECK(write_keys(dir.file(), keys).error().code == errc::invalid_input);
    CHECK_FALSE(fs::exists(dir.file()));
  }

  TEST_CASE("a directory that is missing is an error of the disk") {
    const auto dir = folder{};
    const auto wrote = write_keys(dir.path / "none" / "keys.json", sample());
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error().code == errc::unavailable);
  }

  TEST_CASE("a missing file is not found") {
    const auto dir = folder{};
    CHECK(read_keys(dir.file()).error().code == errc::not_found);
  }

  TEST_CASE("a file that others may reach is refused and the cure is named") {
    const auto dir = folder{};
    REQUIRE(write_keys(dir.file(), sample()));
    for (const auto mode : {0640, 0604, 0620, 0601}) {
      fs::permissions(dir.file(), fs::perms{static_cast<unsigned>(mode)});
      const auto got = read_keys(dir.file());
      REQUIRE_FALSE(got);
      CHECK(got.error().code == errc::forbidden);
      CHECK(got.error().what.contains("chmod 600"));
    }
  }

  TEST_CASE("spaces, order, escapes and unknown keys do not matter") {
    const auto dir = folder{};
    dir.put("\n{ \"extra\" : \"\" ,\t" + std::string{others} +
            ", \"jwt_secret\":\"\\u0041\\n" + secret + "\"}\n ");
    const auto got = read_keys(dir.file());
    REQUIRE(got);
    CHECK(got->jwt_secret == "A\n" + secret);
  }

  TEST_CASE("a broken file is refused and the place is named") {
    const auto dir = folder{};
    const auto good = "{\"jwt_secret\":\"" + secret + "\"," + std::string{others} + "}";
    dir.put(good);
    REQUIRE(read_keys(dir.file()));
    for (auto cut = std::size_t{0}; cut < good.size(); ++cut) {
      dir.put(good.substr(0, cut));
      CHECK(read_keys(dir.file()).error().code == errc::invalid_input);
    }
    for (const auto* const text :
         {"[]", "null", "{}", "{\"jwt_secret\":1}", "{\"a\":\"b\",}", "{\"a\" \"b\"}",
          "{\"a\":\"\\u00e9\"}", "{\"a\":\"\\u00g1\"}", "{\"a\":\"\\x\"}",
          "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"new\nline\"}"}) {
      CAPTURE(text);
      dir.put(text);
      CHECK(read_keys(dir.file()).error().code == errc::invalid_input);
    }
    dir.put(good + "x");
    CHECK(read_keys(dir.file()).error().code == errc::invalid_input);
    dir.put("{\"anon_key\":\"a\",\"service_key\":7}");
    CHECK(read_keys(dir.file()).error().what.contains("service_key"));
    dir.put("{\"jwt_secret\":\"" + secret + "\"}");
    CHECK(read_keys(dir.file()).error().what.contains("anon_key"));
    dir.put("{\"jwt_secret\":\"short\"," + std::string{others} + "}");
    CHECK(read_keys(dir.file()).error().what.contains("32 bytes"));
  }

  TEST_CASE("a file without opaque keys gets them, and keeps all it had") {
    const auto dir = folder{};
    dir.put("{\"jwt_secret\":\"" + secret +
            "\",\"anon_key\":\"a\",\"service_key\":\"b\",\"note\":\"mine\"}");
    const auto old = read_keys(dir.file());
    REQUIRE(old);
    CHECK(old->publishable_key.empty());
    CHECK(old->secret_key.empty());
    const auto full = complete_keys(dir.file(), sample());
    REQUIRE(full);
    CHECK(full->jwt_secret == secret);
    CHECK(full->anon_key == "a");
    CHECK(full->publishable_key == "sb_publishable_x");
    CHECK(full->secret_key == "sb_secret_y");
    CHECK(read_text(dir.file()).contains("\"note\": \"mine\""));
    auto other = sample();
    other.secret_key = "sb_secret_z";
    CHECK(complete_keys(dir.file(), other)->secret_key == "sb_secret_y");
    CHECK(fs::status(dir.file()).permissions() == fs::perms{0600});
  }

  TEST_CASE("an error never repeats a secret") {
    const auto dir = folder{};
    dir.put("{\"jwt_secret\":\"" + secret + "\", broken");
    CHECK_FALSE(read_keys(dir.file()).error().what.contains(secret));
  }

  TEST_CASE("a huge file is refused") {
    const auto dir = folder{};
    dir.put(std::string(1 << 20, ' '));
    const auto got = read_keys(dir.file());
    REQUIRE_FALSE(got);
    CHECK(got.error().what.contains("too large"));
  }
}
