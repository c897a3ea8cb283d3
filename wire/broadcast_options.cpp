#include "wire/broadcast_options.hpp"

#include "wire/json_reader.hpp"

#include <charconv>
#include <string>

namespace jessica::wire {
namespace {

/// JavaScript's last moment; PostgreSQL's timestamps reach a little further.
constexpr auto last_moment_ms = std::int64_t{8'640'000'000'000'000};
/// Stored broadcasts live three days, whatever they ask for.
constexpr auto longest_ttl = std::int64_t{3} * 24 * 60 * 60;

[[nodiscard]] std::unexpected<error> bad_persist() {
  return fail(errc::invalid_input,
              R"(persist must be true or {"ttl": seconds}, 1 to 259200)",
              "validation_failed");
}

[[nodiscard]] std::unexpected<error> bad_replay(std::string why) {
  return fail(errc::invalid_input, "UnableToReplayMessages: " + std::move(why),
              "unable_to_replay");
}

[[nodiscard]] result<persist_wish> with_ttl(std::optional<std::int64_t> seconds) {
  if (!seconds || *seconds < 1 || *seconds > longest_ttl)
    return bad_persist();
  return persist_wish{std::chrono::seconds{*seconds}};
}

} // namespace

result<std::optional<persist_wish>> read_persist(std::string_view metadata) {
  if (metadata.empty())
    return std::nullopt;
  const auto parsed = parse_object(metadata);
  if (!parsed)
    return bad_persist();
  const auto* asked = parsed->if_contains("persist");
  if (asked == nullptr || asked->is_null())
    return std::nullopt;
  if (asked->is_bool())
    return asked->get_bool() ? std::optional{persist_wish{}} : std::nullopt;
  if (!asked->is_object())
    return bad_persist();
  const auto* ttl = asked->get_object().if_contains("ttl");
  if (ttl == nullptr || ttl->is_null())
    return persist_wish{};
  return with_ttl(whole_number(*ttl)).transform([](persist_wish wish) {
    return std::optional{wish};
  });
}

result<persist_wish> read_ttl(std::string_view digits) {
  auto seconds = std::int64_t{0};
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, seconds);
  if (read.ec != std::errc{} || read.ptr != end)
    return bad_persist();
  return with_ttl(seconds);
}

result<std::optional<replay_wish>> read_replay(const boost::json::object& broadcast) {
  const auto* asked = broadcast.if_contains("replay");
  if (asked == nullptr || asked->is_null())
    return std::nullopt;
  const auto* fields = asked->if_object();
  if (fields == nullptr)
    return bad_replay("replay must be an object with since and limit");
  const auto* since = fields->if_contains("since");
  const auto when = since == nullptr ? std::nullopt : whole_number(*since);
  if (!when || *when < 0 || *when > last_moment_ms)
    return bad_replay("since must be a time in milliseconds");
  auto wish = replay_wish{std::chrono::milliseconds{*when}};
  const auto* limit = fields->if_contains("limit");
  if (limit == nullptr || limit->is_null())
    return wish;
  const auto most = whole_number(*limit);
  if (!most || *most < 1 || *most > std::int64_t{most_replayed})
    return bad_replay("limit must be 1 to 25");
  wish.limit = static_cast<std::size_t>(*most);
  return wish;
}

} // namespace jessica::wire
