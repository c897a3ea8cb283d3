#include "storage/cluster_setup.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <format>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

constexpr auto oldest_version = 17; // initdb's built-in locale provider
constexpr auto package = std::string_view{"postgresql-17"};

// What a short program prints, its first 4 kB; empty when it cannot be run.
std::string output_of(const fs::path& program, std::vector<std::string> arguments) {
  constexpr auto limit = std::chrono::seconds{10};
  auto ends = std::array<int, 2>{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  const auto reading = open_file{ends[0]};
  auto writing = open_file{ends[1]};
  auto running = start({.program = program,
                        .arguments = std::move(arguments),
                        .as = std::nullopt,
                        .output = writing.get(),
                        .bound = true});
  writing = open_file{};
  if (!running) {
    return {};
  }
  // It prints less than a pipe holds, so it can end before anything is read.
  if (!running->wait(limit)) {
    running->signal(SIGKILL);
    (void)running->wait(limit);
    return {};
  }
  auto text = std::array<char, 4096>{};
  const auto size = ::read(reading.get(), text.data(), text.size());
  if (running->exit_status() != 0 || size <= 0) {
    return {};
  }
  auto printed = std::string{text.data(), static_cast<std::size_t>(size)};
  while (printed.ends_with('\n')) {
    printed.pop_back();
  }
  return printed;
}

// "postgres (PostgreSQL) 17.2 (Debian ...)" -> 17
int major_of(const fs::path& bin_dir) {
  const auto printed = output_of(bin_dir / "postgres", {"--version"});
  constexpr auto before = std::string_view{"(PostgreSQL) "};
  const auto at = printed.find(before);
  auto major = 0;
  if (at != std::string::npos) {
    const auto* const digits = printed.data() + at + before.size();
    std::from_chars(digits, printed.data() + printed.size(), major);
  }
  return major;
}

bool complete(const fs::path& bin_dir) {
  return ::access((bin_dir / "postgres").c_str(), X_OK) == 0 &&
         ::access((bin_dir / "initdb").c_str(), X_OK) == 0;
}

// pg_config's answer, then Debian's versioned directories, newest first.
std::vector<fs::path> usual_places() {
  auto debian = std::vector<std::pair<int, fs::path>>{};
  auto none = std::error_code{};
  auto entry = fs::directory_iterator{"/usr/lib/postgresql", none};
  for (; !none && entry != fs::end(entry); entry.increment(none)) {
    const auto name = entry->path().filename().string();
    auto major = 0;
    std::from_chars(name.data(), name.data() + name.size(), major);
    debian.emplace_back(major, entry->path() / "bin");
  }
  std::ranges::sort(debian, std::greater{});

  auto places = std::vector<fs::path>{};
  for (const auto* const tool : {"/usr/bin/pg_config", "/usr/local/bin/pg_config"}) {
    if (::access(tool, X_OK) == 0) {
      places.emplace_back(output_of(tool, {"--bindir"}));
    }
  }
  for (auto& [major, place] : debian) {
    places.push_back(std::move(place));
  }
  return places;
}

} // namespace

result<programs> find_programs(const fs::path& bin_dir, std::optional<int> wanted) {
  const auto places = bin_dir.empty() ? usual_places() : std::vector<fs::path>{bin_dir};
  auto found = std::optional<programs>{};
  for (const auto& place : places) {
    if (place.empty() || !complete(place)) {
      continue;
    }
    const auto here = programs{place, major_of(place)};
    if (here.major >= oldest_version && (!found || wanted == here.major)) {
      found = here;
      if (!wanted || wanted == here.major) {
        break;
      }
    }
  }
  if (!found) {
    const auto where =
        bin_dir.empty() ? std::string{"anywhere"} : "in " + bin_dir.string();
    return fail(errc::not_found,
                std::format("no programs of PostgreSQL {} or newer {}: install the "
                            "package {}, or name their folder (storage.bin_dir)",
                            oldest_version, where, package));
  }
  return *found;
}

} // namespace jessica::storage
