#include "storage/key_file.hpp"

#include "storage/private_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

constexpr auto shortest_secret = std::size_t{32}; // HS256 wants as much as its hash

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
const auto every_key = std::span{keys_in_file};
/// What a file must hold; the opaque keys may be made later.
const auto first_keys = every_key.first(3);

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

using strings = std::map<std::string, std::string>;

result<void> check(const key_set& keys, std::span<const named_key> wanted) {
  for (const auto& [name, member] : wanted) {
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

result<strings> read_strings(std::string_view text, const fs::path& file) {
  auto reader = flat_object{text};
  auto found = reader.read();
  if (!found) {
    return fail(errc::invalid_input, std::format("{} is not an object of strings, {}",
                                                 file.string(), reader.near()));
  }
  return std::move(*found);
}

result<key_set> keys_of(std::string_view text, const fs::path& file) {
  const auto found = read_strings(text, file);
  if (!found) {
    return std::unexpected{found.error()};
  }
  auto keys = key_set{};
  for (const auto& [name, member] : keys_in_file) {
    if (const auto one = found->find(std::string{name}); one != found->end()) {
      keys.*member = one->second;
    }
  }
  if (auto fine = check(keys, first_keys); !fine) {
    return fail(errc::invalid_input, file.string() + ": " + fine.error().what);
  }
  return keys;
}

strings strings_of(const key_set& keys) {
  auto all = strings{};
  for (const auto& [name, member] : keys_in_file) {
    all.emplace(name, keys.*member);
  }
  return all;
}

std::string text_of(const strings& all) {
  auto text = std::string{"{"};
  for (const auto& [name, value] : all) {
    text += std::format("{}\n  {}: {}", text.size() > 1 ? "," : "", json_string(name),
                        json_string(value));
  }
  return text + "\n}\n";
}

} // namespace

result<key_set> read_keys(const fs::path& file) {
  return read_private(file).and_then(
      [&](const std::string& text) { return keys_of(text, file); });
}

result<void> write_keys(const fs::path& file, const key_set& keys) {
  if (auto fine = check(keys, every_key); !fine) {
    return fine;
  }
  return create_private(file, text_of(strings_of(keys)));
}

result<key_set> complete_keys(const fs::path& file, const key_set& spare) {
  auto change = [&](const std::optional<std::string>& text) -> result<std::string> {
    if (!text) {
      return fail(errc::not_found, file.string() + " does not exist");
    }
    auto found = read_strings(*text, file);
    if (!found) {
      return std::unexpected{found.error()};
    }
    for (const auto& [name, value] : strings_of(spare)) {
      auto& here = (*found)[name];
      if (here.empty()) {
        here = value;
      }
    }
    return text_of(*found);
  };
  return change_private(file, change).and_then([&] { return read_keys(file); });
}

} // namespace jessica::storage
