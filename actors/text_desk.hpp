// What EMBEDDING asks of the database.
#pragma once

#include "domain/error.hpp"
#include "storage/embeddings.hpp"
#include "storage/endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::actors {

/// Blocking; one thread. As the functions of storage/embeddings.hpp.
class text_desk {
public:
  virtual ~text_desk() = default;
  [[nodiscard]] virtual result<storage::model_number>
  use_model(std::string_view name, std::size_t dimensions) = 0;
  [[nodiscard]] virtual result<std::vector<storage::text_work>>
  claim(storage::model_number model) = 0;
  [[nodiscard]] virtual result<std::vector<bool>>
  store(storage::model_number model, std::span<const storage::text_vectors> texts) = 0;
  [[nodiscard]] virtual result<std::int64_t>
  fail(std::span<const storage::text_failure> failures) = 0;
  [[nodiscard]] virtual result<void> release(std::span<const storage::text_work> texts,
                                             std::chrono::milliseconds pause) = 0;
  [[nodiscard]] virtual result<storage::old_texts>
  queue_old(storage::model_number model) = 0;
  [[nodiscard]] virtual result<bool> drop_old(storage::model_number model) = 0;
  [[nodiscard]] virtual result<storage::text_backlog> count() = 0;
};

struct text_desk_options {
  storage::endpoint database;
  std::string node;
  std::size_t batch = 16; ///< texts of one claim
};

/// What may be done twice waits for no disk; what is stored does, because only then
/// does the log tell of it.
[[nodiscard]] std::unique_ptr<text_desk> open_text_desk(text_desk_options options);

/// How long a claim holds: longer than any call of an embedder takes.
inline constexpr auto text_lease = std::chrono::seconds{180};

} // namespace jessica::actors
