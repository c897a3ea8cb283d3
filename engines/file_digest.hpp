// What is in a file: its SHA-256, and whether some words are.
#pragma once

#include "domain/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace jessica::engines {

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256_of(std::string_view bytes);

struct file_digest {
  std::string sha256;    ///< 64 hexadecimal digits
  bool has_word = false; ///< the bytes that were looked for are in the file
};

/// Reads the file once, piece by piece. Fails: invalid_input (cannot be read).
[[nodiscard]] result<file_digest> digest_file(const std::filesystem::path& file,
                                              std::string_view word);

} // namespace jessica::engines
