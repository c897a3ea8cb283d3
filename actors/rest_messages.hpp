// The messages of REST: CATALOG and CLERK.
#pragma once

#include "actors/messages.hpp"
#include "domain/rest.hpp"
#include "storage/rest_schema.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>

namespace jessica::actors {

/// Carry this request out as whoever asks.
struct perform {
  std::shared_ptr<const rest_request> what;
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
JESSICA_LOCAL_MESSAGE(jessica::actors::follow_schema)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_loaded)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_changed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_missed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_due)
#undef JESSICA_LOCAL_MESSAGE
