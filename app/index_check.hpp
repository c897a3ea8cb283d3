// Compares the index's files with the table.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "domain/memory_search.hpp"
#include "storage/endpoint.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace jessica::app {

/// What one file says, beside what the table does.
struct checked_file {
  std::filesystem::path file;
  std::size_t pieces = 0;
  std::size_t to_fetch = 0; ///< rows that came since it was written
  std::size_t to_drop = 0;  ///< rows that are gone since
  std::size_t compared = 0; ///< vectors, when that was asked for
  std::string fault;        ///< empty: it is good
};

/// The files that a server with these settings would open; one that is not there is
/// left out. `deep` compares every vector. Fails: unavailable (the database).
[[nodiscard]] result<std::vector<checked_file>>
check_index_files(const config::settings& settings, const storage::endpoint& where,
                  const memory_model& model, bool deep);

} // namespace jessica::app
