// Small files that hold secrets: readable by their owner only, never half written.
#pragma once

#include "domain/error.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::storage {

/// The whole text. Fails: not_found, forbidden (others may reach it: says chmod 600),
/// invalid_input (larger than 64 KiB), unavailable (disk).
[[nodiscard]] result<std::string> read_private(const std::filesystem::path& file);

/// A new file with mode 0600, complete or not at all. Fails: conflict when it exists,
/// unavailable (disk).
[[nodiscard]] result<void> create_private(const std::filesystem::path& file,
                                          std::string_view text);

/// Replaces the text (nullopt: there is no file) by what `change` makes of it; a reader
/// sees the old one or the new one. Two at once take turns. Fails: as read_private, as
/// `change`, unavailable (disk).
[[nodiscard]] result<void> change_private(
    const std::filesystem::path& file,
    const std::function<result<std::string>(const std::optional<std::string>& text)>&
        change);

} // namespace jessica::storage
