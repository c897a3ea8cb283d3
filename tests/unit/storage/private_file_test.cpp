#include "storage/private_file.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <iterator>
#include <system_error>
#include <thread>

namespace {

namespace fs = std::filesystem;
using namespace jessica;
using namespace jessica::storage;

struct folder : test::temp_folder {
  folder() : temp_folder("private") {}
};

using text = std::optional<std::string>;

} // namespace

TEST_SUITE("storage.private_file") {
  TEST_CASE("a change makes the file, then replaces it, private both times") {
    const auto dir = folder{};
    const auto file = dir.path / "keys";
    const auto before = ::umask(0);
    REQUIRE(change_private(file, [](const text& old) -> result<std::string> {
      CHECK_FALSE(old.has_value());
      return "one";
    }));
    REQUIRE(change_private(file, [](const text& old) -> result<std::string> {
      return old.value_or("") + " two";
    }));
    ::umask(before);
    CHECK(*read_private(file) == "one two");
    CHECK(fs::status(file).permissions() == fs::perms{0600});
    CHECK(std::distance(fs::directory_iterator{dir.path}, {}) == 1);
  }

  TEST_CASE("a change that fails leaves the file as it was") {
    const auto dir = folder{};
    const auto file = dir.path / "keys";
    REQUIRE(create_private(file, "one"));
    const auto refused = change_private(file, [](const text&) -> result<std::string> {
      return fail(errc::invalid_input, "no");
    });
    CHECK(refused.error().code == errc::invalid_input);
    CHECK(*read_private(file) == "one");
    CHECK(create_private(file, "two").error().code == errc::conflict);
    fs::permissions(file, fs::perms{0644});
    const auto open = change_private(
        file, [](const text&) -> result<std::string> { return "three"; });
    CHECK(open.error().code == errc::forbidden);
  }

  TEST_CASE("changes at once take turns: none is lost") {
    const auto dir = folder{};
    const auto file = dir.path / "keys";
    constexpr auto each = 20;
    const auto add = [&] {
      for (auto i = 0; i < each; ++i)
        CHECK(change_private(file, [](const text& old) -> result<std::string> {
          return old.value_or("") + 'x';
        }));
    };
    {
      const auto one = std::jthread{add};
      const auto other = std::jthread{add};
    }
    CHECK(read_private(file)->size() == 2 * each);
  }

  TEST_CASE("a folder that is not there is an error of the disk") {
    const auto dir = folder{};
    const auto made =
        change_private(dir.path / "none" / "keys",
                       [](const text&) -> result<std::string> { return "x"; });
    CHECK(made.error().code == errc::unavailable);
  }
}
