// What stands where in a snapshot's file. As memory has it: the file is read by the
// machine that wrote it, and mapped.
//
//   head | facts of all users | vectors, sketches and links of all users | directory
//
// Head, facts and directory are checked when the file is opened, a user's vectors,
// sketches and links before they are first used.
#pragma once

#include "domain/ids.hpp"

#include <array>
#include <cstdint>
#include <type_traits>

namespace jessica::index {

inline constexpr auto snapshot_magic =
    std::array<char, 8>{'j', 'e', 's', 's', 'i', 'n', 'd', 'x'};
/// Another number for every change of this file.
inline constexpr auto snapshot_version = std::uint32_t{2};
/// Reads as another number where bytes are ordered the other way.
inline constexpr auto snapshot_byte_order = std::uint32_t{0x0102'0304};

struct snapshot_head {
  std::array<char, 8> magic = snapshot_magic;
  std::uint32_t version = snapshot_version;
  std::uint32_t byte_order = snapshot_byte_order;
  std::uint32_t form = 0;
  std::uint32_t dimensions = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t users = 0;
  std::uint64_t directory_at = 0;
  std::uint64_t directory_sum = 0;
  std::array<char, 256> model{}; ///< ends with a zero
  std::uint64_t sum = 0;         ///< of all before
};

/// One user.
struct snapshot_entry {
  uuid user;
  std::uint64_t rows = 0;
  /// Dropped users: ids. Others: piece_facts of all rows, and when there is a graph a
  /// byte for each row: is it gone.
  std::uint64_t facts_at = 0;
  std::uint64_t facts_sum = 0;
  /// Vectors of all rows; their sketches; a level for each row; all links. Each begins
  /// with a line.
  std::uint64_t vectors_at = 0;
  std::uint64_t vectors_bytes = 0; ///< sketches and links included
  std::uint64_t vectors_sum = 0;
  std::uint64_t links_at = 0; ///< levels; 0: no graph
  std::uint64_t links = 0;    ///< how many
  std::int32_t graph_entry = -1;
  std::uint32_t dropped = 0; ///< 1: only ids
};
static_assert(std::is_trivially_copyable_v<snapshot_head> &&
              std::is_trivially_copyable_v<snapshot_entry> &&
              sizeof(snapshot_head) == 320 && sizeof(snapshot_entry) == 88);

} // namespace jessica::index
