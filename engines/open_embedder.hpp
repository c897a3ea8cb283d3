// Makes the embedder that the settings ask for.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/embedder.hpp"

#include <filesystem>
#include <memory>

namespace jessica::engines {

/// Where the local model is: as configured, else models/use-lite of the state directory
/// (storage.directory).
[[nodiscard]] std::filesystem::path
model_directory_of(const config::embedding_settings& how,
                   const std::filesystem::path& state_directory);

/// Ready to use; null when embedding.engine is none. A local model is loaded and tried
/// out, which takes a few tenths of a second; a server is not asked anything yet. Call
/// it while no other thread writes to std::cerr. Fails: not_found (there is no model
/// directory: the sentence says how to get one), invalid_input (naming the file and
/// field that cannot be used), unavailable.
[[nodiscard]] result<std::shared_ptr<embedder>>
open_embedder(const config::embedding_settings& how,
              const std::filesystem::path& state_directory);

} // namespace jessica::engines
