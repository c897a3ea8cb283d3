// What a sender may ask of the engine for one reply: the `params` of a message.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace jessica::wire {

/// {model?, system?, temperature?, top_p?, max_tokens?, stop?, tools?}; `stop` is a
/// text or up to four; `tools` is false or a list of names. Other names are the
/// application's own and passed over. Fails: invalid_input, naming the field and what
/// it may be.
[[nodiscard]] result<reply_params> read_reply_params(std::string_view json);

/// The field `params` of a body, checked, as JSON text; absent: "{}". Fails as
/// read_reply_params; too_large over 16 KiB.
[[nodiscard]] result<std::string> read_params(const boost::json::object& body);

} // namespace jessica::wire
