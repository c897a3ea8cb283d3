#include "actors/errors.hpp"

#include "actors/messages.hpp"

#include <caf/atom.hpp>
#include <caf/make_message.hpp>
#include <caf/sec.hpp>
#include <caf/to_string.hpp>

#include <utility>

namespace jessica::actors {
namespace {

constexpr auto category = caf::atom("jessica");

[[nodiscard]] errc code_of(const caf::error& what) {
  if (what == caf::sec::request_timeout)
    return errc::timeout;
  if (what == caf::sec::request_receiver_down)
    return errc::unavailable;
  if (what.category() == caf::atom("exit"))
    return errc::unavailable;
  return errc::internal;
}

} // namespace

caf::error to_caf(error what) {
  const auto code = static_cast<std::uint8_t>(what.code);
  return {code, category, caf::make_message(std::move(what))};
}

error session_over() {
  return {errc::unauthenticated, "Session was ended", "session_ended", nullptr};
}

error from_caf(const caf::error& what) {
  if (what.category() == category && what.context().match_elements<error>())
    return what.context().get_as<error>(0);
  return {code_of(what), "actor: " + caf::to_string(what), {}, nullptr};
}

} // namespace jessica::actors
