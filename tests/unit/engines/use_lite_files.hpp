// Where the tests find the real model, which is fetched and not in the repository.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <system_error>

namespace jessica::test {

[[nodiscard]] inline std::filesystem::path use_lite_directory() {
  return TEST_MODEL_DIRECTORY;
}

/// False, with a message, where `./dev test` has not fetched it.
[[nodiscard]] inline bool has_use_lite() {
  auto failed = std::error_code{};
  if (std::filesystem::exists(use_lite_directory() / "embedder.json", failed))
    return true;
  MESSAGE("skipped: there is no model in ", use_lite_directory().string(),
          ", which ./dev test fetches");
  return false;
}

} // namespace jessica::test
