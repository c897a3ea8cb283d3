#include "index/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <system_error>

namespace jessica::index {
namespace {

std::unexpected<error> cannot_read(const std::filesystem::path& file) {
  return fail(errno == ENOENT ? errc::not_found : errc::unavailable,
              std::format("cannot read {}: {}", file.string(),
                          std::generic_category().message(errno)));
}

} // namespace

result<std::shared_ptr<const mapped_file>>
mapped_file::open(const std::filesystem::path& file) {
  const auto descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return cannot_read(file);
  struct stat what{};
  const auto known = ::fstat(descriptor, &what) == 0;
  const auto size = known ? static_cast<std::size_t>(what.st_size) : 0;
  const auto memory =
      size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  const auto why = errno;
  (void)::close(descriptor);
  if (!known || memory == MAP_FAILED) {
    errno = why;
    return cannot_read(file);
  }
  return std::shared_ptr<const mapped_file>{
      new mapped_file{{static_cast<std::byte*>(memory), size}}};
}

mapped_file::~mapped_file() {
  if (!bytes_.empty())
    (void)::munmap(bytes_.data(), bytes_.size());
}

} // namespace jessica::index
