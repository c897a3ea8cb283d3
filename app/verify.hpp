// jessica verify: are messages, embeddings and the index's files what they say?
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace jessica::app {

/// Prints what differs; 0: nothing does, 1: something, or it could not be looked at.
/// `--deep` compares every vector of the files with the table.
int verify(const config::settings& settings, const std::vector<std::string>& rest);

} // namespace jessica::app
