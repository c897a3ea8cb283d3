// How the bodies of /v1 are read: what a field may be, and how a refusal names it.
#pragma once

#include "wire/openai_problem.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

/// nullopt: all is well.
using verdict = std::optional<openai_refusal>;

/// The field is not what it has to be.
[[nodiscard]] openai_refusal wrong(std::string param, std::string_view why);
/// It is what OpenAI takes, and this server does not.
[[nodiscard]] openai_refusal unsupported(std::string param, std::string_view why);

/// A field that is there; null counts as absent.
[[nodiscard]] const boost::json::value* given(const boost::json::object& in,
                                              std::string_view name);

} // namespace jessica::wire
