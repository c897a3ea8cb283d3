// Language models behind OpenAI's chat completions: OpenAI itself, Ollama, vLLM,
// llama.cpp, LM Studio and the like. One thread carries all streams.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/engine.hpp"

#include <memory>
#include <vector>

namespace jessica::engines {

/// Asks the providers in the order given (docs/engines.md). Fails: invalid_input (a
/// URL, or certificates that cannot be read), naming the provider; none is reached yet.
[[nodiscard]] result<std::unique_ptr<text_generator>>
make_openai(const std::vector<config::provider_settings>& providers);

} // namespace jessica::engines
