// Are messages and embeddings what they promise to be? As an operator asks. Role:
// migrations.
#pragma once

#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "domain/memory_search.hpp"
#include "storage/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica::storage {

/// Rows that break a promise: how many, and the first few of them.
struct memory_fault {
  std::string what;
  std::int64_t rows = 0;
  std::string examples; ///< ids, between commas
};

struct memory_audit {
  lsn position;                      ///< where the log was
  std::optional<memory_model> model; ///< that searches go by
  bool filled = false;         ///< else old texts still wait to be embedded with it
  std::int64_t messages = 0;   ///< with a text
  std::int64_t waiting = 0;    ///< of them, to be embedded
  std::int64_t embeddings = 0; ///< of the model
  std::vector<memory_fault> faults;
};

/// All of it as of one moment. Fails as connection::run.
[[nodiscard]] result<memory_audit> audit_memory(connection& db);

} // namespace jessica::storage
