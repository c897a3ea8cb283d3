#include "storage/cluster_setup.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <format>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

constexpr auto socket_path_limit = std::size_t{107}; // sockaddr_un
constexpr auto private_mode = mode_t{0700};

bool may_search(const struct stat& what, const os_user& user) {
  if (user.uid == 0) {
    return true;
  }
  if (what.st_uid == user.uid) {
    return (what.st_mode & S_IXUSR) != 0;
  }
  const auto in_group =
      what.st_gid == user.gid ||
      std::ranges::find(user.groups, what.st_gid) != user.groups.end();
  return (what.st_mode & (in_group ? S_IXGRP : S_IXOTH)) != 0;
}

result<os_user> user_from(const passwd& entry) {
  auto user = os_user{entry.pw_name, entry.pw_uid, entry.pw_gid, {}};
  auto count = int{64};
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count)); // count says how many
    (void)::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return user;
}

} // namespace

result<void> give_to(const fs::path& path, const os_user& user) {
  if (::geteuid() == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0) {
    return fail(errc::invalid_input,
                std::format("cannot give {} to user {}: {}", path.string(), user.name,
                            reason_of(errno)));
  }
  return {};
}

result<void> make_private(const fs::path& path, const os_user& user) {
  if (::mkdir(path.c_str(), private_mode) != 0 && errno != EEXIST) {
    return fail(errc::invalid_input, std::format("cannot make directory {}: {}",
                                                 path.string(), reason_of(errno)));
  }
  return give_to(path, user);
}

result<cluster_layout> lay_out(const fs::path& directory) {
  auto broken = std::error_code{};
  const auto at = cluster_layout{fs::weakly_canonical(directory, broken)};
  if (broken || !at.directory.is_absolute()) {
    return fail(errc::invalid_input,
                std::format("not a directory: {}", directory.string()));
  }
  const auto path = at.socket().string();
  if (path.size() >= socket_path_limit) {
    return fail(errc::invalid_input,
                std::format("the socket path {} has {} bytes, {} are allowed: choose a "
                            "shorter directory",
                            path, path.size(), socket_path_limit - 1));
  }
  // libpq splits host lists at commas, PostgreSQL its settings at quotes.
  if (path.find_first_of(",'\"\\\n") != std::string::npos) {
    return fail(errc::invalid_input,
                std::format("the directory {} has a comma, quote or backslash in its "
                            "path",
                            directory.string()));
  }
  return at;
}

result<os_user> server_user() {
  const auto root = ::geteuid() == 0;
  auto buffer = std::vector<char>(16'384);
  auto entry = passwd{};
  auto* found = static_cast<passwd*>(nullptr);
  if (root) {
    (void)::getpwnam_r("postgres", &entry, buffer.data(), buffer.size(), &found);
  } else {
    (void)::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr && root) {
    return fail(errc::not_found,
                "PostgreSQL refuses to run as root and there is no user postgres: "
                "install the package postgresql-17");
  }
  if (found == nullptr) {
    return fail(errc::invalid_input,
                std::format("user id {} has no passwd entry, which PostgreSQL needs: "
                            "run as a named user",
                            ::geteuid()));
  }
  return user_from(*found);
}

std::optional<int> version_of(const cluster_layout& at) {
  auto version = 0;
  auto in = std::ifstream{at.data() / "PG_VERSION"};
  return in >> version ? std::optional{version} : std::nullopt;
}

result<void> check_reachable(const fs::path& directory, const os_user& user) {
  auto way = fs::path{};
  for (const auto& part : directory) {
    way /= part;
    struct stat what{};
    if (::stat(way.c_str(), &what) != 0 || !S_ISDIR(what.st_mode)) {
      return fail(errc::invalid_input,
                  std::format("{} is not a directory", way.string()));
    }
    if (!may_search(what, user)) {
      return fail(errc::invalid_input,
                  std::format("the directory {} is not searchable by user {}, who runs "
                              "PostgreSQL: chmod o+x {}, or choose another directory",
                              way.string(), user.name, way.string()));
    }
  }
  return {};
}

result<void> check_owner(const cluster_layout& at, const os_user& user) {
  struct stat what{};
  if (::stat(at.data().c_str(), &what) != 0 || what.st_uid == user.uid) {
    return {};
  }
  auto buffer = std::vector<char>(16'384);
  auto entry = passwd{};
  auto* found = static_cast<passwd*>(nullptr);
  (void)::getpwuid_r(what.st_uid, &entry, buffer.data(), buffer.size(), &found);
  const auto whose =
      found != nullptr ? std::string{entry.pw_name} : std::to_string(what.st_uid);
  return fail(
      errc::invalid_input,
      std::format("{} belongs to user {}, PostgreSQL would run as {}: run as {}, "
                  "or choose another storage.directory (--storage-directory)",
                  at.data().string(), whose, user.name, whose));
}

result<void> make_directories(const cluster_layout& at, const os_user& user) {
  auto broken = std::error_code{};
  if (fs::create_directories(at.directory, broken)) {
    // Whatever the umask says: PostgreSQL's user must get through. What is private
    // below has its own mode.
    fs::permissions(at.directory, fs::perms{0755}, broken);
  }
  if (broken) {
    return fail(errc::invalid_input,
                std::format("cannot make directory {}: {}; choose another "
                            "storage.directory (--storage-directory)",
                            at.directory.string(), broken.message()));
  }
  return check_reachable(at.directory, user).and_then([&] {
    return make_private(at.sockets(), user);
  });
}

result<open_file> open_log_file(const cluster_layout& at) {
  constexpr auto old_bytes = std::uintmax_t{16} << 20; // one earlier log is kept
  auto unknown = std::error_code{};
  if (const auto size = fs::file_size(at.log(), unknown);
      !unknown && size > old_bytes) {
    fs::rename(at.log(), at.directory / "pg.log.old", unknown);
  }
  auto log = open_file{
      ::open(at.log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!log) {
    return fail(errc::invalid_input, std::format("cannot write {}: {}",
                                                 at.log().string(), reason_of(errno)));
  }
  return log;
}

std::string log_tail(const cluster_layout& at, std::uintmax_t from) {
  constexpr auto longest = std::uintmax_t{2048};
  auto unknown = std::error_code{};
  const auto size = fs::file_size(at.log(), unknown);
  if (unknown) {
    return "(no log)";
  }
  auto in = std::ifstream{at.log(), std::ios::binary};
  const auto start = std::max(std::min(from, size), size - std::min(size, longest));
  in.seekg(static_cast<std::streamoff>(start));
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.empty() ? "(the log says nothing)" : text;
}

} // namespace jessica::storage
