#include "ops/log.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

using namespace jessica;

namespace {

/// What the process writes to standard error during `what`.
template <class Action> std::string captured(Action what) {
  auto* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const auto saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  what();
  std::fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::rewind(file);
  auto text = std::string{};
  auto block = std::array<char, 4096>{};
  for (auto n = std::fread(block.data(), 1, block.size(), file); n > 0;
       n = std::fread(block.data(), 1, block.size(), file))
    text.append(block.data(), n);
  std::fclose(file);
  return text;
}

std::string line_with(std::string_view value) {
  return ops::log_line("T", "info", "a.b", {{"text", value}});
}

} // namespace

TEST_SUITE("ops.log") {
  TEST_CASE("a line is one JSON object with time, level, event and typed fields") {
    const auto line = ops::log_line("2026-01-02T03:04:05.000006Z", "warn", "job.ended",
                                    {{"job", 42},
                                     {"text", "done"},
                                     {"share", 0.5},
                                     {"late", true},
                                     {"size_bytes", std::size_t{7}}});
    CHECK(line ==
          R"({"ts":"2026-01-02T03:04:05.000006Z","level":"warn","event":"job.ended",)"
          R"("job":42,"text":"done","share":0.5,"late":true,"size_bytes":7})");
  }

  TEST_CASE("quotes, backslashes and control characters are escaped") {
    CHECK(line_with("a\"b\\c\nd\re\tf\x01g\x7f") ==
          R"({"ts":"T","level":"info","event":"a.b",)"
          R"("text":"a\"b\\c\nd\re\tf\u0001g\u007f"})");
  }

  TEST_CASE("a NUL byte in a text is escaped, not the text's end") {
    CHECK(line_with(std::string_view{"a\0b", 3}).contains(R"("a\u0000b")"));
  }

  TEST_CASE("valid UTF-8 stays, broken bytes become replacement characters") {
    CHECK(line_with("h\u00e9 \U0001F600").contains("\"h\u00e9 \U0001F600\""));
    CHECK(line_with("a\xff\xc3").contains("\"a\uFFFD\uFFFD\""));
    CHECK(line_with("\xed\xa0\x80").contains("\"\uFFFD\uFFFD\uFFFD\"")); // surrogate
    CHECK(line_with("\xc0\xaf").contains("\"\uFFFD\uFFFD\""));           // overlong
    CHECK(line_with("\xf4\x90\x80\x80").contains("\uFFFD"));             // > U+10FFFF
  }

  TEST_CASE("numbers that JSON cannot say are null") {
    const auto line = ops::log_line(
        "T", "info", "a.b",
        {{"x", std::nan("")}, {"y", std::numeric_limits<double>::infinity()}});
    CHECK(line.ends_with(R"("x":null,"y":null})"));
  }

  TEST_CASE("a long text is cut between characters and the line says so") {
    auto text = std::string{};
    for (auto i = 0; i < 10'000; ++i)
      text += "\u20ac";
    const auto line =
        ops::log_line("T", "info", "a.b", {{"first", 1}, {"text", text}, {"last", 2}});
    CHECK(line.size() < 8192);
    CHECK(line.size() > 8000);
    CHECK(line.contains(R"("first":1)"));
    CHECK(line.ends_with("\u20ac\",\"truncated\":true}"));
    CHECK_FALSE(line.contains("\uFFFD"));
  }

  TEST_CASE("the limit holds for texts that grow when escaped") {
    const auto line = line_with(std::string(8000, '\x02'));
    CHECK(line.size() < 8192);
    CHECK(line.ends_with("\\u0002\",\"truncated\":true}"));
  }

  TEST_CASE("a text that just fits is not marked as cut") {
    const auto line = line_with(std::string(8000, 'x'));
    CHECK(line.size() < 8192);
    CHECK_FALSE(line.contains("truncated"));
  }

  TEST_CASE("events below the chosen level are not written, others as one line each") {
    const auto text = captured([] {
      ops::open_log("warn");
      ops::debug("a.debug");
      ops::info("a.info");
      ops::warn("a.warn", {{"n", 1}});
      ops::error("an.error");
      ops::open_log("info");
    });
    CHECK_FALSE(text.contains("a.debug"));
    CHECK_FALSE(text.contains("a.info"));
    CHECK(text.starts_with("{\"ts\":\"20"));
    CHECK(text.contains("Z\",\"level\":\"warn\",\"event\":\"a.warn\",\"n\":1}\n{"));
    CHECK(text.ends_with("\"level\":\"error\",\"event\":\"an.error\"}\n"));
  }

  TEST_CASE("an unknown level means info") {
    const auto text = captured([] {
      ops::open_log("loud");
      ops::debug("a.debug");
      ops::info("a.info");
    });
    CHECK_FALSE(text.contains("a.debug"));
    CHECK(text.contains("a.info"));
  }
}
