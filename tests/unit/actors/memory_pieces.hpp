// Pieces of messages for tests of the index's actors: two numbers a vector.
#pragma once

#include "domain/memory_search.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

namespace jessica::test {

inline memory_model small_model() {
  return {1, "small", 2};
}

/// The unit vector of this angle, in degrees.
inline std::vector<float> at_angle(float degrees) {
  const auto radians = degrees * 3.14159265F / 180;
  return {std::cos(radians), std::sin(radians)};
}

inline embedded_piece piece(std::int64_t id, const user_id& user, float degrees) {
  return {{id},
          user,
          conversation_id::make(),
          message_id::make(),
          message_role::user,
          timestamp{},
          at_angle(degrees)};
}

inline owned_embedding row_of(const embedded_piece& of) {
  return {of.id, of.user};
}

} // namespace jessica::test
