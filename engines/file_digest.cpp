#include "engines/file_digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <memory>
#include <span>

namespace jessica::engines {
namespace {

struct end_context {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

class sha256 {
public:
  sha256() : context_{EVP_MD_CTX_new()} {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void take(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  [[nodiscard]] std::string digits() {
    auto raw = std::array<unsigned char, EVP_MAX_MD_SIZE>{};
    auto size = 0U;
    EVP_DigestFinal_ex(context_.get(), raw.data(), &size);
    auto text = std::string{};
    for (const auto byte : std::span{raw}.first(size)) {
      constexpr auto digits = std::string_view{"0123456789abcdef"};
      text += digits[byte >> 4U];
      text += digits[byte & 0xfU];
    }
    return text;
  }

private:
  std::unique_ptr<EVP_MD_CTX, end_context> context_;
};

} // namespace

std::string sha256_of(std::string_view bytes) {
  auto hash = sha256{};
  hash.take(bytes);
  return hash.digits();
}

result<file_digest> digest_file(const std::filesystem::path& file,
                                std::string_view word) {
  constexpr auto piece_bytes = std::size_t{1} << 20U;
  auto in = std::ifstream{file, std::ios::binary};
  auto hash = sha256{};
  auto found = file_digest{};
  auto piece = std::string{};
  auto kept = std::size_t{0}; // of the piece before: the word may lie across
  while (in) {
    piece.resize(kept + piece_bytes);
    in.read(piece.data() + kept, static_cast<std::streamsize>(piece_bytes));
    piece.resize(kept + static_cast<std::size_t>(in.gcount()));
    hash.take(std::string_view{piece}.substr(kept));
    found.has_word = found.has_word || piece.contains(word);
    kept = std::min(piece.size(), word.empty() ? 0 : word.size() - 1);
    piece.erase(0, piece.size() - kept);
  }
  if (!in.eof())
    return fail(errc::invalid_input, file.string() + " cannot be read");
  found.sha256 = hash.digits();
  return found;
}

} // namespace jessica::engines
