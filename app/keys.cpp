#include "app/keys.hpp"

#include "ops/log.hpp"
#include "wire/jwt.hpp"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

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

} // namespace

result<storage::key_set> open_keys(const std::filesystem::path& file) {
  auto known = storage::read_keys(file);
  if (known || known.error().code != errc::not_found)
    return known;
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
