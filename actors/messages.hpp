// Messages that many actors understand. Every message is a struct of its own: commands
// are imperatives, events past participles. They stay inside the process (CAF is told
// so), hence no serialisation code. The others lie in *_messages.hpp, by whom they
// concern.
#pragma once

#include "domain/error.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstddef>

namespace jessica::actors {

/// The answer of a command that has nothing to tell but that it worked.
struct done {};

/// POOL to worker, right behind a job: answered when the worker is free again.
struct are_you_free {};
/// A child that ended is started again.
struct restart_child {
  std::size_t slot = 0;
};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::error)
JESSICA_LOCAL_MESSAGE(jessica::actors::done)
JESSICA_LOCAL_MESSAGE(jessica::actors::are_you_free)
JESSICA_LOCAL_MESSAGE(jessica::actors::restart_child)
#undef JESSICA_LOCAL_MESSAGE
