#include "storage/private_file.hpp"

#include "storage/child_process.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

constexpr auto largest_file = std::size_t{64} << 10;

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = ::write(file, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return ::fsync(file) == 0;
}

std::unexpected<error> cannot(std::string_view verb, const fs::path& file) {
  return fail(errc::unavailable,
              std::format("cannot {} {}: {}", verb, file.string(), reason_of(errno)));
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path{"."};
}

open_file open_folder(const fs::path& file) {
  return open_file{::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

/// Complete under another name first, which `publish` turns into the file's.
result<void> write_draft(const fs::path& file, std::string_view text,
                         int (*publish)(const char* draft, const char* file)) {
  auto draft = file.string() + ".XXXXXX";
  const auto open = open_file{::mkostemp(draft.data(), O_CLOEXEC)}; // mode 0600
  if (!open) {
    return cannot("write", file);
  }
  const auto published =
      write_all(open.get(), text) && publish(draft.c_str(), file.c_str()) == 0;
  const auto why = errno;
  (void)::unlink(draft.c_str());
  if (!published) {
    errno = why;
    return why == EEXIST ? fail(errc::conflict, file.string() + " exists already")
                         : cannot("write", file);
  }
  const auto folder = open_folder(file);
  if (!folder || ::fsync(folder.get()) != 0) {
    return cannot("sync", folder_of(file));
  }
  return {};
}

} // namespace

result<std::string> read_private(const fs::path& file) {
  const auto open = open_file{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat what{};
  if (!open || ::fstat(open.get(), &what) != 0) {
    return errno == ENOENT ? fail(errc::not_found, file.string() + " does not exist")
                           : cannot("read", file);
  }
  if ((what.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(errc::forbidden,
                std::format("{0} holds secrets and others may reach it: chmod 600 {0}",
                            file.string()));
  }
  auto text = std::string(largest_file + 1, '\0');
  auto size = std::size_t{0};
  while (size < text.size()) {
    const auto got = ::read(open.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) {
      return cannot("read", file);
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  if (size > largest_file) {
    return fail(errc::invalid_input, file.string() + " is too large for a key file");
  }
  text.resize(size);
  return text;
}

result<void> create_private(const fs::path& file, std::string_view text) {
  return write_draft(file, text, ::link); // refuses an existing name
}

result<void> change_private(
    const fs::path& file,
    const std::function<result<std::string>(const std::optional<std::string>&)>&
        change) {
  const auto folder = open_folder(file);
  if (!folder || ::flock(folder.get(), LOCK_EX) != 0) {
    return cannot("lock", folder_of(file));
  }
  auto before = read_private(file);
  if (!before && before.error().code != errc::not_found) {
    return std::unexpected{std::move(before.error())};
  }
  const auto after = change(before ? std::optional{std::move(*before)} : std::nullopt);
  if (!after) {
    return std::unexpected{after.error()};
  }
  return write_draft(file, *after, ::rename);
}

} // namespace jessica::storage
