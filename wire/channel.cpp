#include "wire/channel.hpp"

#include "wire/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto max_key_bytes = std::size_t{255};
constexpr auto longest_changes_timeout = std::chrono::milliseconds{20'000};

/// The object under `field`, or an empty one.
[[nodiscard]] result<const json::object*>
section(const json::object& in, std::string_view field, std::string path) {
  static const auto nothing = json::object{};
  auto found = json_reader{in, std::move(path)}.object(field);
  if (found && *found == nullptr)
    return &nothing;
  return found;
}

/// Reads one switch of a section into `into`.
[[nodiscard]] result<void> read_flag(const json::object& from, std::string path,
                                     std::string_view field, bool& into) {
  const auto read = json_reader{from, std::move(path)}.flag(field, false);
  if (!read)
    return std::unexpected{read.error()};
  into = *read;
  return {};
}

[[nodiscard]] result<void> read_broadcast_options(const json::object& config,
                                                  join_request& into) {
  const auto options = section(config, "broadcast", "config");
  if (!options)
    return std::unexpected{options.error()};
  if (auto self = read_flag(**options, "config.broadcast", "self", into.self); !self)
    return self;
  if (auto ack = read_flag(**options, "config.broadcast", "ack", into.ack); !ack)
    return ack;
  auto replay = read_replay(**options);
  if (!replay)
    return std::unexpected{std::move(replay.error())};
  into.replay = *replay;
  return read_flag(**options, "config.broadcast", "replication_ready",
                   into.replication_ready);
}

[[nodiscard]] result<void> read_presence_options(const json::object& config,
                                                 join_request& into) {
  const auto options = section(config, "presence", "config");
  if (!options)
    return std::unexpected{options.error()};
  auto key = json_reader{**options, "config.presence"}.text("key");
  if (!key)
    return std::unexpected{std::move(key.error())};
  into.presence_key = std::move(*key).value_or(std::string{});
  if (into.presence_key.size() > max_key_bytes)
    return fail(errc::invalid_input, "config.presence.key must be at most 255 bytes",
                "validation_failed");
  return read_flag(**options, "config.presence", "enabled", into.presence);
}

[[nodiscard]] result<void> read_bindings(const json::object& config,
                                         join_request& into) {
  const auto* list = config.if_contains("postgres_changes");
  if (list == nullptr || list->is_null())
    return {};
  if (!list->is_array())
    return fail(errc::invalid_input, "config.postgres_changes must be an array",
                "validation_failed");
  for (const auto& binding : list->get_array()) {
    if (!binding.is_object())
      return fail(errc::invalid_input, "config.postgres_changes must hold objects",
                  "validation_failed");
    into.postgres_changes.push_back(json::serialize(binding));
  }
  return {};
}

[[nodiscard]] result<void> read_changes_options(const json::object& config,
                                                join_request& into) {
  const auto* const path = "config.postgres_changes_options";
  const auto options = section(config, "postgres_changes_options", "config");
  if (!options)
    return std::unexpected{options.error()};
  const auto timeout = json_reader{**options, path}.integer("timeout");
  if (!timeout)
    return std::unexpected{timeout.error()};
  if (*timeout && **timeout <= 0)
    return fail(errc::invalid_input, std::string{path} + ".timeout must be positive",
                "validation_failed");
  if (*timeout)
    into.changes_timeout =
        std::min(std::chrono::milliseconds{**timeout}, longest_changes_timeout);
  return read_flag(**options, path, "wait", into.changes_wait);
}

/// Under its name or its old one; empty counts as absent.
[[nodiscard]] result<std::optional<std::string>> read_token(const json::object& from) {
  for (const auto* field : {"access_token", "user_token"}) {
    auto token = json_reader{from}.text(field);
    if (!token || (*token && !(*token)->empty()))
      return token;
  }
  return std::nullopt;
}

} // namespace

result<join_request> read_join(std::string_view payload) {
  auto space = std::array<unsigned char, 4096>{}; // holds the usual join
  auto memory = json::monotonic_resource{space.data(), space.size()};
  const auto parsed = parse_object(payload, &memory);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto config = section(*parsed, "config", {});
  if (!config)
    return std::unexpected{config.error()};
  auto asked = join_request{};
  for (const auto read : {read_broadcast_options, read_presence_options, read_bindings,
                          read_changes_options}) {
    if (auto ok = read(**config, asked); !ok)
      return std::unexpected{std::move(ok.error())};
  }
  if (auto ok = read_flag(**config, "config", "private", asked.is_private); !ok)
    return std::unexpected{std::move(ok.error())};
  auto token = read_token(*parsed);
  if (!token)
    return std::unexpected{std::move(token.error())};
  asked.access_token = std::move(*token);
  return asked;
}

result<std::optional<std::string>> read_access_token(std::string_view payload) {
  const auto parsed = parse_object(payload);
  if (!parsed)
    return std::unexpected{parsed.error()};
  return read_token(*parsed);
}

result<std::string_view> channel_name(std::string_view topic) {
  if (!topic.starts_with(topic_prefix))
    return fail(errc::invalid_input, "unmatched topic", "unmatched_topic");
  topic.remove_prefix(topic_prefix.size());
  if (topic.empty())
    return fail(errc::invalid_input, "TopicNameRequired: You must provide a topic name",
                "topic_name_required");
  // PostgreSQL would read it as ending there: another topic's rights.
  if (topic.contains('\0'))
    return fail(errc::invalid_input,
                "TopicNameInvalid: A topic must not hold a NUL character",
                "topic_name_invalid");
  return topic;
}

} // namespace jessica::wire
