// Vectors of real texts for the search scenario.
#pragma once

#include "bench/load/search_corpus.hpp"
#include "domain/error.hpp"

#include <filesystem>

namespace jessica::bench {

/// Embeds the lines of a file: every tenth is asked with, the others are searched.
/// Fails: invalid_input (too few lines, a model of another size), and as the model.
[[nodiscard]] result<search_corpus> embedded_corpus(const std::filesystem::path& texts,
                                                    const std::filesystem::path& model,
                                                    std::size_t owners);

} // namespace jessica::bench
