#include "storage/key_file.hpp"

#include "storage/child_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <format>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

constexpr auto shortest_secret = std::size_t{32}; // HS256 wants as much as its hash
constexpr auto largest_file = std::size_t{64} << 10;

struct named_key {
  std::string_view name;
  std::string key_set::* member;
};
constexpr auto keys_in_file = std::array{
    named_key{"jwt_secret", &key_set::jwt_secret},
    named_key{"anon_key", &key_set::anon_key},
    named_key{"service_key", &key_set::service_key},
    named_key{"publishable_key", &key_set::publishable_key},
    named_key{"secret_key", &key_set::secret_key},
};

// Reads one JSON object whose values are all strings: the whole grammar of this file.
class flat_object {
public:
  explicit flat_object(std::string_view text) : rest_(text) {}

  /// Nullopt when it is anything else; `near()` then says where it stopped.
  std::optional<std::map<std::string, std::string>> read() {
    auto found = std::map<std::string, std::string>{};
    if (!take('{')) {
      return std::nullopt;
    }
    do {
      auto name = read_string();
      if (!name || !take(':')) {
        return std::nullopt;
      }
      near_ = *name;
      auto value = read_string();
      if (!value || !found.emplace(std::move(*name), std::move(*value)).second) {
        return std::nullopt;
      }
    } while (take(','));
    const auto complete = take('}');
    skip_space();
    return complete && rest_.empty() ? std::optional{std::move(found)} : std::nullopt;
  }

  [[nodiscard]] std::string near() const {
    return near_.empty() ? "at its beginning" : "at or after \"" + near_ + '"';
  }

private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  bool take(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> read_string() {
    if (!take('"')) {
      return std::nullopt;
    }
    auto text = std::string{};
    while (!rest_.empty() && rest_.front() != '"') {
      const auto c = rest_.front();
      rest_.remove_prefix(1);
      const auto plain = c == '\\' ? read_escape() : std::optional{c};
      if (!plain || static_cast<unsigned char>(c) < 0x20) {
        return std::nullopt;
      }
      text += *plain;
    }
    return take('"') ? std::optional{std::move(text)} : std::nullopt;
  }

  // \u only up to 7f: keys are ASCII.
  std::optional<char> read_escape() {
    constexpr auto from = std::string_view{"\"\\/bfnrt"};
    constexpr auto to = std::string_view{"\"\\/\b\f\n\r\t"};
    const auto c = rest_.empty() ? '\0' : rest_.front();
    rest_.remove_prefix(rest_.empty() ? 0 : 1);
    if (const auto at = from.find(c); at != std::string_view::npos) {
      return to[at];
    }
    constexpr auto digits = std::size_t{4};
    auto code = 0U;
    if (c != 'u' || rest_.size() < digits) {
      return std::nullopt;
    }
    const auto* const end = rest_.data() + digits;
    const auto [stop, bad] = std::from_chars(rest_.data(), end, code, 16);
    if (bad != std::errc{} || stop != end || code > 0x7f) {
      return std::nullopt;
    }
    rest_.remove_prefix(digits);
    return static_cast<char>(code);
  }

  std::string_view rest_;
  std::string near_;
};

std::string json_string(std::string_view text) {
  auto json = std::string{'"'};
  for (const auto c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      json += std::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      json += c;
    }
  }
  return json + '"';
}

result<void> check(const key_set& keys) {
  for (const auto& [name, member] : keys_in_file) {
    if ((keys.*member).empty()) {
      return fail(errc::invalid_input, std::format("the key \"{}\" is missing", name));
    }
  }
  if (keys.jwt_secret.size() < shortest_secret) {
    return fail(errc::invalid_input,
                std::format("\"jwt_secret\" needs at least {} bytes", shortest_secret));
  }
  return {};
}

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

} // namespace

result<key_set> read_keys(const fs::path& file) {
  const auto text = read_private(file);
  if (!text) {
    return std::unexpected{text.error()};
  }
  auto reader = flat_object{*text};
  const auto found = reader.read();
  if (!found) {
    return fail(errc::invalid_input, std::format("{} is not an object of strings, {}",
                                                 file.string(), reader.near()));
  }
  auto keys = key_set{};
  for (const auto& [name, member] : keys_in_file) {
    if (const auto one = found->find(std::string{name}); one != found->end()) {
      keys.*member = one->second;
    }
  }
  if (auto fine = check(keys); !fine) {
    return fail(errc::invalid_input, file.string() + ": " + fine.error().what);
  }
  return keys;
}

result<void> write_keys(const fs::path& file, const key_set& keys) {
  if (auto fine = check(keys); !fine) {
    return fine;
  }
  auto text = std::string{"{"};
  for (const auto& [name, member] : keys_in_file) {
    text += std::format("{}\n  {}: {}", text.size() > 1 ? "," : "", json_string(name),
                        json_string(keys.*member));
  }
  text += "\n}\n";

  // Complete under another name first. link() refuses an existing name, rename() would
  // replace it.
  auto draft = file.string() + ".XXXXXX";
  const auto open = open_file{::mkostemp(draft.data(), O_CLOEXEC)}; // mode 0600
  if (!open) {
    return cannot("write", file);
  }
  const auto linked =
      write_all(open.get(), text) && ::link(draft.c_str(), file.c_str()) == 0;
  const auto why = errno;
  (void)::unlink(draft.c_str());
  if (!linked) {
    errno = why;
    return why == EEXIST ? fail(errc::conflict, file.string() + " exists already")
                         : cannot("write", file);
  }
  const auto directory = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  const auto folder =
      open_file{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0) {
    return cannot("sync", directory);
  }
  return {};
}

} // namespace jessica::storage
