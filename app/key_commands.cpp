#include "app/key_commands.hpp"

#include "app/complaint.hpp"
#include "app/keys.hpp"
#include "storage/private_file.hpp"
#include "wire/key_ring.hpp"

#include <cstdio>
#include <optional>
#include <utility>

namespace jessica::app {
namespace {

/// The set with `key` first, and of the others what verifies.
[[nodiscard]] result<std::string> with_first(const std::string& key,
                                             const std::optional<std::string>& before) {
  auto others = std::string{};
  if (before) {
    const auto known = wire::key_ring::read_own(*before);
    if (!known)
      return std::unexpected{known.error()};
    for (const auto& one : known->all())
      others += ",\n  " + one.verifying_json();
  }
  return "{\"keys\":[\n  " + key + others + "\n]}\n";
}

} // namespace

int show_keys(const config::settings& settings) {
  auto keys = open_keys(settings.storage.directory / "keys.json");
  if (!keys)
    return failed(keys.error().what);
  const auto used = credentials_of(*keys, settings.auth);
  if (!used)
    return failed(used.error().what);
  std::printf("anon_key        %s\nservice_key     %s\n"
              "publishable_key %s\nsecret_key      %s\n",
              keys->anon_key.c_str(), keys->service_key.c_str(),
              used->publishable_key.c_str(), used->secret_key.c_str());
  if (used->keys && used->keys->signer() != nullptr)
    std::printf("tokens are signed by %s\n", used->keys->signer()->kid().c_str());
  return 0;
}

int add_signing_key(const config::settings&, const std::vector<std::string>& rest) {
  if (rest.size() != 1)
    return misused("keys sign takes one FILE");
  const auto key = wire::make_signing_jwk();
  if (!key)
    return failed(key.error().what);
  const auto written = storage::change_private(
      rest.front(), [&](const auto& before) { return with_first(*key, before); });
  if (!written)
    return failed(written.error().what);
  std::printf("%s has a new key first; auth.signing_keys names the file.\n",
              rest.front().c_str());
  return 0;
}

} // namespace jessica::app
