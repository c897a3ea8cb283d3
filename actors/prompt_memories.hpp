// What a prompt asks of memory, and how it tells the engine what was found.
#pragma once

#include "actors/memory_messages.hpp"
#include "domain/chat.hpp"
#include "domain/error.hpp"

#include <span>
#include <string>

namespace jessica::actors {

/// Asks for what fits the prompt's last turn, and is not among its turns.
[[nodiscard]] recall_memories recall_for(const user_id& user, const prompt& asked);

/// Puts them into the prompt: as they are, and in words at the end of its system text.
void add_memories(prompt& to, std::span<const found_memory> found);

/// A prompt goes without memories, because they could not be had, or not in time.
void count_forgotten(const error& why);

} // namespace jessica::actors
