#include "storage/one_time_secret.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstddef>
#include <format>
#include <span>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto codes = std::uint32_t{1'000'000};
constexpr auto token_bytes = std::size_t{32};
/// Between the fields of a letter; none of them may hold control characters.
constexpr auto separator = '\x1f';
constexpr auto fields_of_letter = std::size_t{7};

using bytes = std::vector<std::uint8_t>;

[[nodiscard]] const std::uint8_t* data_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

[[nodiscard]] std::string hex(std::span<const std::uint8_t> from) {
  auto text = std::string(from.size() * 2 + 1, '\0'); // libsodium ends it with a zero
  sodium_bin2hex(text.data(), text.size(), from.data(), from.size());
  text.pop_back();
  return text;
}

[[nodiscard]] std::optional<bytes> unhex(std::string_view text) {
  if (text.size() < 2)
    return std::nullopt; // libsodium wants somewhere to write
  auto made = bytes(text.size() / 2);
  auto size = std::size_t{0};
  if (sodium_hex2bin(made.data(), made.size(), text.data(), text.size(), nullptr, &size,
                     nullptr) != 0 ||
      size * 2 != text.size())
    return std::nullopt;
  return made;
}

[[nodiscard]] auto sha256(std::string_view text) {
  auto digest = std::array<std::uint8_t, crypto_hash_sha256_BYTES>{};
  crypto_hash_sha256(digest.data(), data_of(text), text.size());
  return digest;
}

[[nodiscard]] auto keyed(std::span<const std::uint8_t> key, std::string_view text) {
  auto made = std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES>{};
  auto state = crypto_auth_hmacsha256_state{};
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, data_of(text), text.size());
  crypto_auth_hmacsha256_final(&state, made.data());
  return made;
}

[[nodiscard]] std::string join(const letter& what) {
  auto text = std::string{name(what.kind)};
  for (const auto* field : {&what.to, &what.code, &what.token, &what.verify_url,
                            &what.redirect_to, &what.new_email}) {
    text += separator;
    text += *field;
  }
  return text;
}

[[nodiscard]] std::optional<letter> split(std::string_view text) {
  auto fields = std::vector<std::string>{};
  for (;;) {
    const auto end = text.find(separator);
    fields.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + 1);
  }
  const auto kind = parse_letter_kind(fields.front());
  if (fields.size() != fields_of_letter || !kind)
    return std::nullopt;
  return letter{*kind,     fields[1], fields[2], fields[3],
                fields[4], fields[5], fields[6]};
}

} // namespace

code_key code_key::derive(std::string_view server_secret) {
  [[maybe_unused]] const auto ready = sodium_init();
  const auto secret = std::span{data_of(server_secret), server_secret.size()};
  return {keyed(secret, "one-time codes"), keyed(secret, "letters to be sent")};
}

std::string code_key::hash(user_id user, std::string_view kind, std::string_view email,
                           std::string_view code) const {
  return hex(
      keyed(hashing_, std::format("{}\n{}\n{}\n{}", user.str(), kind, email, code)));
}

std::string code_key::seal(const letter& what) const {
  const auto text = join(what);
  auto made =
      bytes(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size());
  randombytes_buf(made.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(made.data() + crypto_secretbox_NONCEBYTES, data_of(text),
                        text.size(), made.data(), sealing_.data());
  return hex(made);
}

std::optional<letter> code_key::open(std::string_view sealed) const {
  constexpr auto around = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  const auto box = unhex(sealed);
  if (!box || box->size() < around)
    return std::nullopt;
  auto text = std::string(box->size() - around, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<std::uint8_t*>(text.data()),
                                 box->data() + crypto_secretbox_NONCEBYTES,
                                 box->size() - crypto_secretbox_NONCEBYTES, box->data(),
                                 sealing_.data()) != 0)
    return std::nullopt;
  return split(text);
}

std::string make_code() {
  [[maybe_unused]] const auto ready = sodium_init();
  return std::format("{:06}", randombytes_uniform(codes));
}

std::string make_token() {
  [[maybe_unused]] const auto ready = sodium_init();
  auto random = std::array<std::uint8_t, token_bytes>{};
  randombytes_buf(random.data(), random.size());
  return hex(random);
}

std::string hash_token(std::string_view token) {
  return hex(sha256(token));
}

std::string challenge_of(std::string_view verifier) {
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  const auto digest = sha256(verifier);
  auto text = std::string(sodium_base64_encoded_len(digest.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), digest.data(), digest.size(), variant);
  text.pop_back();
  return text;
}

bool same_secret(std::string_view one, std::string_view other) {
  return one.size() == other.size() &&
         sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

} // namespace jessica::storage
