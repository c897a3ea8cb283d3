// Whether a PostgreSQL can carry us, found out before anything is changed in it.
// Private to this room.
#pragma once

#include "domain/error.hpp"

#include <pqxx/connection>

namespace jessica::storage {

struct server_facts {
  int major = 0;           ///< 17
  bool hosted = false;     ///< a hosted project: no superuser, auth is there already
  bool has_vector = false; ///< pgvector is installed where the server runs
};

/// Fails: unavailable.
[[nodiscard]] result<server_facts> look_at(pqxx::connection& db);

/// Fails: invalid_input, naming what is missing and where it comes from.
[[nodiscard]] result<void> check_fitness(const server_facts& of);

} // namespace jessica::storage
