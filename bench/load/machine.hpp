// The machine a number was measured on.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {

/// Date, processor, cores, memory, kernel, and the file system of `scratch`, on which
/// the database writes.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
machine_facts(const std::filesystem::path& scratch);

/// As many open files as the system lets this process and its children have.
void raise_descriptor_limit();

} // namespace jessica::bench
