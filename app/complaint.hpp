// What a command says when it cannot do what it was asked; the exit code with it.
#pragma once

#include <string>

namespace jessica::app {

/// Says why on standard error, one line; gives 1: it failed.
[[nodiscard]] int failed(const std::string& why);

/// The same for a command line that asks for nothing we know; gives 2.
[[nodiscard]] int misused(const std::string& why);

} // namespace jessica::app
