// The messages of REST: CATALOG, CLERK and PORTER.
#pragma once

#include "actors/messages.hpp"
#include "domain/rest.hpp"
#include "storage/rest_line.hpp"
#include "storage/rest_schema.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace jessica::actors {

/// Carry this request out as whoever asks.
struct perform {
  std::shared_ptr<const rest_request> what;
};
/// Who asked for this has left: nobody waits for the answer.
struct forget {
  std::shared_ptr<const rest_request> what;
};
/// A CLERK's line number `place`, the one that was opened as its `opening`th, is ready.
struct line_ready {
  std::size_t place = 0;
  std::uint64_t opening = 0;
};
/// The time has come to look for lines that have been silent for too long.
struct look_at_lines {};
/// Open a line for me.
struct open_line {};
struct line_opened {
  std::shared_ptr<storage::rest_line> line;
};
/// End what a line does. Answered when the server has done it.
struct stop_line {
  std::function<void()> stop;
};
/// Tell me the schema now, and again whenever it changed.
struct follow_schema {};
struct schema_loaded {
  storage::schema_snapshot now; ///< null: it cannot be read yet
};
/// The database's shape is another than it was.
struct schema_changed {};
/// Something was looked for in this version in vain.
struct schema_missed {
  std::uint64_t version = 0;
};
/// The time has come to read the schema (again).
struct schema_due {};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::rest_reply)
JESSICA_LOCAL_MESSAGE(jessica::actors::perform)
JESSICA_LOCAL_MESSAGE(jessica::actors::forget)
JESSICA_LOCAL_MESSAGE(jessica::actors::line_ready)
JESSICA_LOCAL_MESSAGE(jessica::actors::look_at_lines)
JESSICA_LOCAL_MESSAGE(jessica::actors::open_line)
JESSICA_LOCAL_MESSAGE(jessica::actors::line_opened)
JESSICA_LOCAL_MESSAGE(jessica::actors::stop_line)
JESSICA_LOCAL_MESSAGE(jessica::actors::follow_schema)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_loaded)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_changed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_missed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_due)
#undef JESSICA_LOCAL_MESSAGE
