#include "app/keys.hpp"

#include "ops/log.hpp"
#include "storage/private_file.hpp"
#include "wire/jwt.hpp"
#include "wire/key_ring.hpp"
#include "wire/trusted_issuer.hpp"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace jessica::app {
namespace {

constexpr auto alphabet = std::string_view{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

/// URL-safe text of `characters` * 6 random bits from the kernel.
[[nodiscard]] result<std::string> random_text(std::size_t characters) {
  auto bytes = std::string(characters, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail(errc::internal, "the system gave no random bytes");
  for (auto& byte : bytes)
    byte = alphabet[static_cast<unsigned char>(byte) % alphabet.size()];
  return bytes;
}

[[nodiscard]] result<storage::key_set> make_keys() {
  constexpr auto secret_characters = std::size_t{64};
  constexpr auto opaque_characters = std::size_t{32};
  auto secret = random_text(secret_characters);
  auto publishable = random_text(opaque_characters);
  auto opaque_secret = random_text(opaque_characters);
  if (!secret || !publishable || !opaque_secret)
    return fail(errc::internal, "the system gave no random bytes");
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return storage::key_set{.jwt_secret = *secret,
                          .anon_key = wire::make_api_key(db_role::anon, *secret, now),
                          .service_key =
                              wire::make_api_key(db_role::service_role, *secret, now),
                          .publishable_key = "sb_publishable_" + *publishable,
                          .secret_key = "sb_secret_" + *opaque_secret};
}

/// To a file of a version that had none.
[[nodiscard]] result<storage::key_set>
add_opaque_keys(const std::filesystem::path& file) {
  const auto made = make_keys();
  if (!made)
    return made;
  auto spare = storage::key_set{};
  spare.publishable_key = made->publishable_key;
  spare.secret_key = made->secret_key;
  ops::info("keys.completed", {{"file", file.string()}});
  return storage::complete_keys(file, spare);
}

[[nodiscard]] result<wire::key_ring>
read_signing_keys(const std::filesystem::path& file) {
  const auto text = storage::read_private(file);
  if (!text)
    return std::unexpected{text.error()};
  auto keys = wire::key_ring::read_own(*text);
  if (!keys)
    return fail(errc::invalid_input, file.string() + ": " + keys.error().what);
  return keys;
}

} // namespace

result<wire::credentials> credentials_of(const storage::key_set& keys,
                                         const config::auth_settings& settings) {
  auto made = wire::credentials{keys.jwt_secret, keys.publishable_key, keys.secret_key};
  if (!settings.publishable_key.empty())
    made.publishable_key = settings.publishable_key;
  if (!settings.secret_key.empty())
    made.secret_key = settings.secret_key;
  if (!settings.signing_keys.empty()) {
    auto read = read_signing_keys(settings.signing_keys);
    if (!read)
      return std::unexpected{std::move(read.error())};
    made.keys = std::make_shared<const wire::key_ring>(std::move(*read));
  }
  if (!settings.trusted_issuer.empty())
    made.trusted = std::make_shared<wire::trusted_issuer>(settings.trusted_issuer,
                                                          settings.trusted_secret);
  return made;
}

std::string trusted_keys_url(const config::auth_settings& settings) {
  if (settings.trusted_issuer.empty() || !settings.trusted_keys_url.empty() ||
      !settings.trusted_secret.empty())
    return settings.trusted_keys_url;
  auto url = settings.trusted_issuer;
  while (url.ends_with('/'))
    url.pop_back();
  return url + "/.well-known/jwks.json";
}

result<storage::key_set> open_keys(const std::filesystem::path& file) {
  auto known = storage::read_keys(file);
  if (known && (known->publishable_key.empty() || known->secret_key.empty()))
    return add_opaque_keys(file);
  if (!known && known.error().code == errc::invalid_input)
    return fail(errc::invalid_input,
                known.error().what +
                    "; bring back a copy, or remove the file: new keys "
                    "are made, and everybody signs in again");
  if (known || known.error().code != errc::not_found)
    return known;
  auto broken = std::error_code{};
  std::filesystem::create_directories(file.parent_path(), broken);
  if (broken)
    return fail(errc::invalid_input,
                std::format("cannot make directory {}: {}; choose another "
                            "storage.directory (--storage-directory)",
                            file.parent_path().string(), broken.message()));
  auto made = make_keys();
  if (!made)
    return made;
  auto written = storage::write_keys(file, *made);
  if (!written && written.error().code != errc::conflict)
    return std::unexpected{std::move(written.error())};
  ops::info("keys.made", {{"file", file.string()}});
  return storage::read_keys(file);
}

} // namespace jessica::app
