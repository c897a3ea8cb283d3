// The embedder that asks a server: OpenAI's, or any that speaks like it.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/embedder.hpp"

#include <memory>

namespace jessica::engines {

/// Asks nothing yet. Texts are shortened to openai_max_tokens as estimated here; the
/// server's vectors become length 1. A request is tried again after 408, 429, 5xx, a
/// broken connection or a timeout, with a growing pause or the one the server asks for,
/// if that is not too long. embed() blocks its thread for that time.
[[nodiscard]] std::shared_ptr<embedder>
open_openai_embedder(const config::embedding_settings& how);

} // namespace jessica::engines
