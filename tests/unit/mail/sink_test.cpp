#include "mail/sender.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace jessica;
namespace fs = std::filesystem;

namespace {

struct folder_world {
  test::temp_folder root{"sink"};
  fs::path folder = root.path / "mail";

  [[nodiscard]] std::vector<fs::path> files() const {
    auto all = std::vector<fs::path>{};
    for (const auto& one : fs::directory_iterator{folder})
      all.push_back(one.path());
    std::ranges::sort(all);
    return all;
  }
  [[nodiscard]] static std::string text_of(const fs::path& file) {
    auto text = std::stringstream{};
    text << std::ifstream{file}.rdbuf();
    return text.str();
  }
  [[nodiscard]] static mode_t mode_of(const fs::path& file) {
    struct stat found = {};
    REQUIRE(::stat(file.c_str(), &found) == 0);
    return found.st_mode & 0777U;
  }
};

} // namespace

TEST_SUITE("mail.sink") {
  TEST_CASE_FIXTURE(folder_world, "a message becomes a file for its owner only") {
    const auto to = mail::make_sink(folder, 10);
    REQUIRE(to->send({"a@b", "c@d", "recovery", "Subject: x\r\n\r\nhello"}));
    REQUIRE(files().size() == 1);
    const auto file = files().front();
    CHECK(file.filename().string().ends_with("-recovery.eml"));
    CHECK(text_of(file) == "Subject: x\r\n\r\nhello");
    CHECK(mode_of(file) == 0600);
    CHECK(mode_of(folder) == 0700);
  }

  TEST_CASE_FIXTURE(folder_world, "only the newest files stay") {
    const auto to = mail::make_sink(folder, 3);
    for (auto i = 0; i < 8; ++i)
      REQUIRE(to->send({"a@b", "c@d", "invite", std::to_string(i)}));
    auto texts = std::string{};
    for (const auto& file : files())
      texts += text_of(file);
    CHECK(texts == "567");
  }

  TEST_CASE_FIXTURE(folder_world, "what is no mail is not touched") {
    const auto to = mail::make_sink(folder, 1);
    REQUIRE(to->send({"a@b", "c@d", "invite", "1"}));
    std::ofstream{folder / "0-notes.txt"} << "mine";
    REQUIRE(to->send({"a@b", "c@d", "invite", "2"}));
    CHECK(files().size() == 2);
    CHECK(fs::exists(folder / "0-notes.txt"));
  }

  TEST_CASE_FIXTURE(folder_world, "without a folder the message may be tried again") {
    const auto to = mail::make_sink(root.path / "none" / "mail", 1);
    const auto sent = to->send({"a@b", "c@d", "invite", "1"});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::unavailable);
  }
}
