#include "mail/sender.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <format>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace jessica::mail {
namespace {

namespace fs = std::filesystem;

constexpr auto ending = ".eml";

[[nodiscard]] std::unexpected<error> broken(const fs::path& where, int cause) {
  return fail(errc::unavailable,
              where.string() + ": " + std::generic_category().message(cause));
}

/// The whole file, readable by its owner only, or none: readers see no half.
[[nodiscard]] result<void> write_file(const fs::path& file, std::string_view bytes) {
  constexpr auto owner_only = mode_t{0600};
  auto half = file;
  half += ".part";
  const auto open_file =
      ::open(half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (open_file < 0)
    return broken(half, errno);
  auto cause = 0;
  while (cause == 0 && !bytes.empty()) {
    const auto wrote = ::write(open_file, bytes.data(), bytes.size());
    if (wrote < 0)
      cause = errno == EINTR ? 0 : errno;
    else
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  ::close(open_file);
  if (cause == 0 && ::rename(half.c_str(), file.c_str()) != 0)
    cause = errno;
  if (cause == 0)
    return {};
  ::unlink(half.c_str());
  return broken(file, cause);
}

class sink final : public sender {
public:
  sink(fs::path folder, std::size_t keep) : folder_{std::move(folder)}, keep_{keep} {}

  result<void> send(const message& what) override {
    constexpr auto owner_only = mode_t{0700};
    if (::mkdir(folder_.c_str(), owner_only) != 0 && errno != EEXIST)
      return broken(folder_, errno);
    if (auto written = write_file(folder_ / next_name(what.kind), what.bytes); !written)
      return written;
    drop_oldest();
    return {};
  }

private:
  /// Names sort by time; never the same twice.
  [[nodiscard]] std::string next_name(std::string_view kind) {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    last_ = std::max(now.count(), last_ + 1);
    return std::format("{:020}-{}-{}{}", last_, ::getpid(), kind, ending);
  }

  void drop_oldest() const {
    auto failed = std::error_code{};
    auto files = std::vector<fs::path>{};
    for (const auto& one : fs::directory_iterator{folder_, failed})
      if (one.path().extension() == ending)
        files.push_back(one.path());
    std::ranges::sort(files);
    for (auto at = std::size_t{0}; at + keep_ < files.size(); ++at)
      fs::remove(files[at], failed); // another node may have been faster
  }

  fs::path folder_;
  std::size_t keep_;
  std::int64_t last_ = 0;
};

} // namespace

std::unique_ptr<sender> make_sink(fs::path folder, std::size_t keep) {
  return std::make_unique<sink>(std::move(folder), keep);
}

} // namespace jessica::mail
