#include "actors/memory_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <format>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace jessica::actors {
namespace {

constexpr auto patience = std::chrono::seconds{10};
constexpr auto look_every = std::chrono::milliseconds{20};

/// Whoever holds it may write; the system takes it back from a process that died.
class writer_lock {
public:
  explicit writer_lock(const std::filesystem::path& of) {
    const auto name = of.string() + ".lock";
    constexpr auto owner_only = 0600;
    descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (descriptor_ >= 0 &&
           !(held_ = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) &&
           std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(look_every);
  }
  ~writer_lock() {
    if (descriptor_ >= 0)
      (void)::close(descriptor_);
  }
  writer_lock(const writer_lock&) = delete;
  writer_lock& operator=(const writer_lock&) = delete;

  [[nodiscard]] bool held() const noexcept { return held_; }

private:
  int descriptor_ = -1;
  bool held_ = false;
};

/// "shard-2-of-8.lock": 8; 0: it is no shard's file.
[[nodiscard]] std::size_t count_in(std::string_view name) {
  const auto number = [&](std::string_view before) {
    auto value = std::size_t{0};
    if (!name.starts_with(before))
      return value;
    name.remove_prefix(before.size());
    const auto read = std::from_chars(name.data(), name.data() + name.size(), value);
    name.remove_prefix(static_cast<std::size_t>(read.ptr - name.data()));
    return value;
  };
  if (number("shard-") == 0)
    return 0;
  const auto count = number("-of-");
  return name.empty() || name == ".lock" || name == ".draft" ? count : 0;
}

/// Of a time when there were more shards or fewer: nobody reads them again.
void remove_other_counts(const std::filesystem::path& file) {
  const auto count = count_in(file.filename().string());
  if (count == 0)
    return;
  auto failed = std::error_code{};
  auto others = std::vector<std::filesystem::path>{};
  for (auto at = std::filesystem::directory_iterator{file.parent_path(), failed};
       !failed && at != std::filesystem::directory_iterator{}; at.increment(failed))
    if (const auto its = count_in(at->path().filename().string());
        its != 0 && its != count)
      others.push_back(at->path());
  for (const auto& other : others)
    std::filesystem::remove(other, failed);
}

} // namespace

std::size_t shard_count(const config::memory_settings& of) {
  return of.shards > 0 ? of.shards : std::max(1U, std::thread::hardware_concurrency());
}

shard_options shard_options_of(const config::settings& of, std::size_t shard) {
  const auto& set = of.memory;
  const auto count = shard_count(set);
  auto how = shard_options{};
  how.index.form =
      set.form == "int8" ? index::vector_form::int8 : index::vector_form::float32;
  how.index.graph_from = set.graph_from;
  how.index.budget_bytes = (set.budget_mb << 20U) / count;
  how.file =
      of.storage.directory / "index" / std::format("shard-{}-of-{}", shard + 1, count);
  return how;
}

result<void> write_shard(const index::vector_index::snapshot& what,
                         const std::filesystem::path& file) {
  auto failed = std::error_code{};
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed)
    return fail(errc::unavailable,
                std::format("{}: {}", file.parent_path().string(), failed.message()));
  const auto lock = writer_lock{file};
  if (!lock.held())
    return fail(errc::unavailable,
                std::format("{} is being written by somebody else", file.string()));
  auto written = index::vector_index::write(what, file);
  if (written)
    remove_other_counts(file);
  return written;
}

} // namespace jessica::actors
