#include "index/draft_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <system_error>
#include <utility>

namespace jessica::index {
namespace {

constexpr auto buffer_bytes = std::size_t{1} << 20;
constexpr auto line_bytes = std::size_t{64};

} // namespace

draft_file::draft_file(const std::filesystem::path& file, std::size_t head_bytes)
    : file_{file}, draft_{file.string() + ".draft"} {
  constexpr auto owner_only = 0600; // vectors tell about what people wrote
  descriptor_ =
      ::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only);
  failure_ = descriptor_ < 0 ? errno : 0;
  buffer_.reserve(buffer_bytes);
  append(std::vector<std::byte>(head_bytes));
}

draft_file::~draft_file() {
  if (descriptor_ < 0)
    return;
  (void)::close(descriptor_);
  (void)::unlink(draft_.c_str());
}

void draft_file::append(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (buffer_.size() + bytes.size() > buffer_bytes)
    flush();
  if (bytes.size() >= buffer_bytes)
    write_at(std::exchange(written_, position_), bytes);
  else
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void draft_file::align() {
  const auto over = static_cast<std::size_t>(position_ % line_bytes);
  if (over != 0)
    append(std::vector<std::byte>(line_bytes - over));
}

void draft_file::flush() {
  write_at(written_, buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

void draft_file::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty() && failure_ == 0) {
    const auto wrote =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno != EINTR)
      failure_ = errno;
    const auto done = wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
    bytes = bytes.subspan(done);
    offset += done;
  }
}

bool draft_file::sync_folder() const {
  const auto folder =
      file_.has_parent_path() ? file_.parent_path() : std::filesystem::path{"."};
  const auto open = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (open < 0)
    return false;
  const auto synced = ::fsync(open) == 0;
  (void)::close(open);
  return synced;
}

result<void> draft_file::publish(std::span<const std::byte> head) {
  flush();
  write_at(0, head);
  if (failure_ == 0 && (::fsync(descriptor_) != 0 ||
                        ::rename(draft_.c_str(), file_.c_str()) != 0 || !sync_folder()))
    failure_ = errno;
  if (failure_ != 0)
    return fail(errc::unavailable,
                std::format("cannot write {}: {}", file_.string(),
                            std::generic_category().message(failure_)));
  (void)::close(std::exchange(descriptor_, -1));
  return {};
}

} // namespace jessica::index
