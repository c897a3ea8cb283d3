#include "ops/terminal_line.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace jessica;

TEST_SUITE("ops.terminal_line") {
  TEST_CASE("a line for people has the event and its fields as words") {
    CHECK(ops::terminal_line("14:02:11", "info", "job.ended",
                             {{"job", 42}, {"text", "done"}, {"late", true}}) ==
          "14:02:11 info  job.ended job=42 text=done late=true");
    CHECK(ops::terminal_line("T", "error", "a.b",
                             {{"one", "two words"}, {"none", ""}, {"of", "x=y"}}) ==
          R"(T error a.b one="two words" none="" of="x=y")");
  }

  TEST_CASE("nothing in it moves the terminal's cursor, and it is one line") {
    CHECK(
        ops::terminal_line("T", "warn", "a.b", {{"x", "a\nb\x1b[2J\x7f\u009b\xff!"}}) ==
        "T warn  a.b x=\"a b [2J  \uFFFD!\"");
    CHECK(ops::terminal_line("T", "warn", "a.b", {{"x", "für"}}) ==
          "T warn  a.b x=für");
  }

  TEST_CASE("a value that is too long for a line is left out, and that is seen") {
    const auto text = std::string(9000, 'x');
    CHECK(ops::terminal_line("T", "info", "a.b", {{"a", 1}, {"text", text}}) ==
          "T info  a.b a=1 ...");
  }
}
