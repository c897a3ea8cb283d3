// What a server answers to /v1/embeddings. Pure.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// `texts` vectors of length 1, in the order of the texts. Fails: internal (no such
/// answer: too few or too many vectors, one twice, one of another size, without
/// direction, or with something that is no number).
[[nodiscard]] result<std::vector<std::vector<float>>>
read_embeddings(std::string_view body, std::size_t texts, std::size_t dimensions);

/// The server's reason for an error, on one line; a short part of the body if it has
/// none.
[[nodiscard]] std::string message_of(std::string_view body, std::string_view secret);

} // namespace jessica::engines
