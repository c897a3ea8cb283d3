// The rows of each section, which options() joins in the order of the documentation.
#pragma once

#include "config/options.hpp"

#include <span>

namespace jessica::config {

[[nodiscard]] std::span<const option> net_options();
[[nodiscard]] std::span<const option> realtime_options();
[[nodiscard]] std::span<const option> auth_options();
[[nodiscard]] std::span<const option> mail_options();
[[nodiscard]] std::span<const option> storage_options();
[[nodiscard]] std::span<const option> rest_options();
[[nodiscard]] std::span<const option> engine_options();
[[nodiscard]] std::span<const option> inference_options();
[[nodiscard]] std::span<const option> embedding_options();
[[nodiscard]] std::span<const option> memory_options();
[[nodiscard]] std::span<const option> gateway_options();
[[nodiscard]] std::span<const option> log_options();
[[nodiscard]] std::span<const option> quota_options();

} // namespace jessica::config
