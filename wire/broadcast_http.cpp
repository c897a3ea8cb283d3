#include "wire/broadcast_http.hpp"

#include "domain/utf8.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/rest_query.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto max_event_bytes = std::size_t{255};
constexpr auto blank = std::string_view{"can't be blank"};
constexpr auto too_many_in_batch =
    std::string_view{"Too many messages to broadcast, please reduce the batch size"};

// --- refusals ------------------------------------------------------------------------

[[nodiscard]] problem with_message(int status, std::string_view message) {
  auto body = object_writer{};
  body.text("message", message);
  return {status, body.done(), {}};
}

/// What is wrong with the fields of one message: {"payload":["can't be blank"]}.
class field_faults {
public:
  void add(std::string_view field, std::string_view why) {
    auto reasons = std::string{"["};
    append_quoted(reasons, why);
    faults_.json(field, reasons + ']');
    any_ = true;
  }
  [[nodiscard]] bool any() const noexcept { return any_; }
  [[nodiscard]] std::string done() { return faults_.done(); }

private:
  object_writer faults_;
  bool any_ = false;
};

[[nodiscard]] std::unexpected<problem> unprocessable(std::string_view errors) {
  auto body = object_writer{};
  body.json("errors", errors);
  return std::unexpected{problem{422, body.done(), {}}};
}

[[nodiscard]] std::unexpected<problem> unprocessable(std::string_view field,
                                                     std::string_view why) {
  auto faults = field_faults{};
  faults.add(field, why);
  return unprocessable(faults.done());
}

// --- names ---------------------------------------------------------------------------

/// UTF-8 without a zero byte: PostgreSQL is asked about topics.
[[nodiscard]] bool is_text(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto next = first_code_point(bytes);
    if (!next.valid || next.value == 0)
      return false;
    bytes.remove_prefix(next.size);
  }
  return true;
}

/// A segment of a path with its percent escapes resolved.
[[nodiscard]] std::optional<std::string> decode_segment(std::string_view segment) {
  auto text = std::string{};
  for (auto at = std::size_t{0}; at < segment.size(); ++at) {
    if (segment[at] != '%') {
      text += segment[at];
      continue;
    }
    auto byte = 0U;
    const auto digits = segment.substr(at + 1, 2);
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, byte, 16);
    if (digits.size() != 2 || read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    text += static_cast<char>(byte);
    at += 2;
  }
  return is_text(text) ? std::optional{std::move(text)} : std::nullopt;
}

void check_names(const outgoing_broadcast& message, field_faults& into) {
  if (message.topic.empty())
    into.add("topic", blank);
  else if (message.topic.size() > max_channel_name_bytes)
    into.add("topic", "should be at most 246 byte(s)");
  else if (!is_text(message.topic))
    into.add("topic", "is invalid");
  if (message.what.event.empty())
    into.add("event", blank);
  else if (message.what.event.size() > max_event_bytes)
    into.add("event", "should be at most 255 byte(s)");
  else if (!is_text(message.what.event))
    into.add("event", "is invalid");
}

// --- one message ---------------------------------------------------------------------

[[nodiscard]] bool is_type(std::string_view header, std::string_view wanted) {
  header = header.substr(0, header.find(';'));
  while (header.ends_with(' '))
    header.remove_suffix(1);
  return std::ranges::equal(header, wanted, [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  });
}

/// private, persist and persist[ttl]; whatever else is there is not ours.
[[nodiscard]] http_result<void> read_query(std::string_view query,
                                           outgoing_broadcast& into) {
  const auto parameters = decode_query(query);
  if (!parameters)
    return unprocessable("query", "is invalid");
  for (const auto& [key, value] : *parameters) {
    if (key == "private")
      into.is_private = value == "true";
    else if (key == "persist" && value == "true" && !into.persist)
      into.persist = persist_wish{};
    else if (key == "persist[ttl]") {
      const auto wish = read_ttl(value);
      if (!wish)
        return unprocessable("persist", wish.error().what);
      into.persist = *wish;
    }
  }
  if (into.persist && !into.is_private)
    return unprocessable("persist", "needs a private channel");
  return {};
}

// --- a batch -------------------------------------------------------------------------

[[nodiscard]] std::string string_in(const json::object& from, std::string_view field) {
  const auto* found = from.if_contains(field);
  return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                : std::string{};
}

[[nodiscard]] outgoing_broadcast read_one(const json::value& from,
                                          field_faults& faults) {
  auto read = outgoing_broadcast{};
  const auto* fields = from.if_object();
  static const auto nothing = json::object{};
  const auto& in = fields == nullptr ? nothing : *fields;
  read.topic = string_in(in, "topic");
  read.what.event = string_in(in, "event");
  if (const auto is_private = json_reader{in}.flag("private", false))
    read.is_private = *is_private;
  else
    faults.add("private", "is invalid");
  const auto* payload = in.if_contains("payload");
  if (payload == nullptr || payload->is_null())
    faults.add("payload", blank);
  else if (!payload->is_object())
    faults.add("payload", "is invalid");
  else
    read.what.payload = json::serialize(*payload);
  check_names(read, faults);
  return read;
}

} // namespace

http_result<outgoing_broadcast> read_broadcast_request(std::string_view rest,
                                                       std::string_view query,
                                                       std::string_view content_type,
                                                       std::string_view body) {
  constexpr auto between = std::string_view{"/events/"};
  const auto cut = rest.find(between);
  if (cut == std::string_view::npos ||
      rest.find('/', cut + between.size()) != std::string_view::npos)
    return std::unexpected{with_message(404, "Not Found")};
  auto message = outgoing_broadcast{};
  auto topic = decode_segment(rest.substr(0, cut));
  if (!topic)
    return unprocessable("topic", "is invalid");
  auto event = decode_segment(rest.substr(cut + between.size()));
  if (!event)
    return unprocessable("event", "is invalid");
  message.topic = std::move(*topic);
  message.what.event = std::move(*event);
  auto faults = field_faults{};
  check_names(message, faults);
  if (faults.any())
    return unprocessable(faults.done());
  message.what.json = is_type(content_type, "application/json");
  if (!message.what.json && !is_type(content_type, "application/octet-stream"))
    return std::unexpected{problem{
        415,
        R"({"error":"Unsupported Media Type: send application/json or application/octet-stream"})",
        {}}};
  if (message.what.json && !valid_json(body))
    return unprocessable("payload", body.empty() ? blank : "is invalid");
  message.what.payload = body;
  if (auto asked = read_query(query, message); !asked)
    return std::unexpected{std::move(asked.error())};
  return message;
}

http_result<std::vector<outgoing_broadcast>> read_broadcast_batch(std::string_view body,
                                                                  std::size_t most) {
  const auto parsed = parse_object(body);
  const auto* list = parsed ? parsed->if_contains("messages") : nullptr;
  if (list == nullptr || !list->is_array())
    return unprocessable("messages", list == nullptr ? blank : "is invalid");
  const auto& items = list->get_array();
  if (items.size() > most)
    return std::unexpected{with_message(429, too_many_in_batch)};
  auto messages = std::vector<outgoing_broadcast>{};
  auto errors = std::string{};
  auto any = false;
  for (const auto& item : items) {
    auto faults = field_faults{};
    messages.push_back(read_one(item, faults));
    any = any || faults.any();
    errors += (errors.empty() ? "[" : ",") + faults.done();
  }
  if (any) {
    auto field = object_writer{};
    field.json("messages", errors + ']');
    return unprocessable(field.done());
  }
  return messages;
}

problem broadcast_problem(const error& what) {
  if (what.reason == "no_api_key")
    return function_problem(what);
  switch (what.code) {
  case errc::unauthenticated:
    return with_message(401, "Unauthorized");
  case errc::forbidden:
    return with_message(403, "Unauthorized");
  case errc::invalid_input: {
    auto refused = unprocessable("payload", "is invalid");
    return std::move(refused.error());
  }
  case errc::overloaded: {
    auto made = with_message(429, what.reason == "too_many_messages"
                                      ? "Too many messages per second"
                                      : "Overloaded, please try again");
    add_retry_after(made, what.code);
    return made;
  }
  default:
    return function_problem(what);
  }
}

} // namespace jessica::wire
