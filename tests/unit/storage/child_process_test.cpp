#include "storage/child_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>

namespace {

using namespace std::chrono_literals;
using jessica::storage::launch;
using jessica::storage::open_file;
using jessica::storage::process;
using jessica::storage::start;

launch shell(std::string script) {
  auto what = launch{};
  what.program = "/bin/sh";
  what.arguments = {"-c", std::move(script)};
  return what;
}

} // namespace

TEST_SUITE("storage.child_process") {
  TEST_CASE("the exit status is known after the end") {
    const auto child = start(shell("exit 3"));
    REQUIRE(child);
    REQUIRE(child->wait(10s));
    CHECK_FALSE(child->alive());
    CHECK(child->exit_status() == 3);
  }

  TEST_CASE("a signal ends it, and the status says which") {
    const auto child = start(shell("sleep 60"));
    REQUIRE(child);
    CHECK(child->alive());
    CHECK_FALSE(child->wait(0ms));
    CHECK_FALSE(child->exit_status());
    CHECK(child->signal(SIGKILL));
    REQUIRE(child->wait(10s));
    CHECK(child->exit_status() == 128 + SIGKILL);
    CHECK_FALSE(child->signal(SIGKILL));
  }

  TEST_CASE("a program that is not there ends with 127") {
    auto nowhere = launch{};
    nowhere.program = "/nonexistent/program";
    const auto child = start(nowhere);
    REQUIRE(child);
    REQUIRE(child->wait(10s));
    CHECK(child->exit_status() == 127);
  }

  TEST_CASE("it gets a clean environment, its output and no other descriptor") {
    REQUIRE(::setenv("JESSICA_TEST_SECRET", "hunter2", 1) == 0);
    auto ends = std::array<int, 2>{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const auto reading = open_file{ends[0]};
    auto writing = open_file{ends[1]};
    const auto inherited = ::open("/dev/null", O_RDONLY); // not close-on-exec
    auto what = shell("env; pwd; ls /proc/self/fd | wc -l; cat");
    what.output = writing.get();
    const auto child = start(what);
    ::close(inherited);
    ::unsetenv("JESSICA_TEST_SECRET");
    writing = open_file{};
    REQUIRE(child);
    REQUIRE(child->wait(10s)); // so its input is at its end, not ours
    auto text = std::array<char, 4096>{};
    const auto size = ::read(reading.get(), text.data(), text.size());
    REQUIRE(size > 0);
    const auto printed = std::string{text.data(), static_cast<std::size_t>(size)};
    CHECK_FALSE(printed.contains("hunter2"));
    CHECK(printed.contains("LANG=C.UTF-8\n"));
    CHECK(printed.contains("\n/\n"));
    CHECK(printed.ends_with("\n4\n")); // 0, 1, 2 and the directory that ls reads
  }

  TEST_CASE("nobody is found under an impossible pid") {
    CHECK_FALSE(process::find(0));
    CHECK_FALSE(process::find(-1));
    CHECK(process::find(::getpid())->alive());
  }

  TEST_CASE("where a process works is known while it lives") {
    auto child = start(shell("sleep 60"));
    REQUIRE(child);
    const auto pid = child->pid();
    CHECK_FALSE(jessica::storage::works_in(pid, "/tmp"));
    CHECK_FALSE(jessica::storage::works_in(0, "/"));
    CHECK(jessica::storage::works_in(::getpid(), std::filesystem::current_path()));
    child->signal(SIGKILL);
    REQUIRE(child->wait(10s));
    CHECK_FALSE(jessica::storage::works_in(pid, "/"));
  }
}
