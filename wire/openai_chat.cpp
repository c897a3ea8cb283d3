#include "wire/openai_chat.hpp"

#include "wire/json_reader.hpp"
#include "wire/openai_fields.hpp"
#include "wire/openai_tools.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <format>
#include <optional>
#include <string>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto most_messages = std::size_t{10'000};
constexpr auto most_tokens = std::int64_t{1'000'000};
constexpr auto most_stops = std::size_t{4};
constexpr auto most_stop_bytes = std::size_t{128};
constexpr auto most_model_bytes = std::size_t{128};

/// Text of one part of a message.
[[nodiscard]] verdict add_part(const json::value& part, const std::string& at,
                               std::string& to) {
  const auto* const fields = part.if_object();
  const auto* const type = fields ? given(*fields, "type") : nullptr;
  if (type == nullptr || !type->is_string())
    return wrong(at, "must be an object with a type");
  const auto kind = std::string_view{type->get_string()};
  if (kind != "text" && kind != "refusal")
    return unsupported(at, "only parts of type text are taken; images, sounds and "
                           "files are not");
  const auto* const text = given(*fields, kind);
  if (text == nullptr || !text->is_string())
    return wrong(at + "." + std::string{kind}, "must be a string");
  to.append(std::string_view{text->get_string()});
  return std::nullopt;
}

[[nodiscard]] verdict read_content(const json::object& message, const std::string& at,
                                   std::string& to) {
  const auto* const content = given(message, "content");
  if (content == nullptr && given(message, "tool_calls") != nullptr)
    return std::nullopt; // its calls are all it says
  if (content == nullptr)
    return wrong(at + ".content", "is required");
  if (const auto* const text = content->if_string()) {
    to = std::string_view{*text};
    return std::nullopt;
  }
  const auto* const parts = content->if_array();
  if (parts == nullptr)
    return wrong(at + ".content", "must be a string or a list of parts");
  for (auto i = std::size_t{0}; i < parts->size(); ++i)
    if (auto bad = add_part((*parts)[i], std::format("{}.content[{}]", at, i), to))
      return bad;
  return std::nullopt;
}

[[nodiscard]] verdict read_role(const json::object& message, const std::string& at,
                                std::string& to) {
  constexpr auto known = std::array<std::string_view, 5>{"system", "developer", "user",
                                                         "assistant", "tool"};
  const auto* const role = given(message, "role");
  if (role == nullptr || !role->is_string())
    return wrong(at + ".role", "must be a string");
  to = std::string_view{role->get_string()};
  if (to == "function")
    return unsupported(at, "messages of role tool are what took their place");
  if (!std::ranges::contains(known, to))
    return wrong(at + ".role", "must be system, developer, user, assistant or tool");
  if (to == "developer")
    to = "system";
  return std::nullopt;
}

/// A rule that opens the conversation is the system's text; later ones stay turns.
void add_turn(prompt& to, past_turn one) {
  if (one.role != "system" || !to.turns.empty()) {
    to.turns.push_back(std::move(one));
    return;
  }
  if (to.system)
    *to.system += "\n\n" + one.content;
  else
    to.system = std::move(one.content);
}

[[nodiscard]] verdict read_messages(const json::object& body, prompt& to) {
  const auto* const found = given(body, "messages");
  const auto* const list = found ? found->if_array() : nullptr;
  if (list == nullptr || list->empty())
    return wrong("messages", "must be a list that is not empty");
  if (list->size() > most_messages)
    return wrong("messages", std::format("must be at most {}", most_messages));
  for (auto i = std::size_t{0}; i < list->size(); ++i) {
    const auto at = std::format("messages[{}]", i);
    const auto* const message = (*list)[i].if_object();
    if (message == nullptr)
      return wrong(at, "must be an object");
    auto one = past_turn{};
    if (auto bad = read_role(*message, at, one.role))
      return bad;
    if (auto bad = read_content(*message, at, one.content))
      return bad;
    if (auto bad = read_calls(*message, at, one))
      return bad;
    add_turn(to, std::move(one));
  }
  if (to.turns.empty()) // rules alone are what is to be answered
    to.turns.push_back({"system", *std::exchange(to.system, std::nullopt)});
  return std::nullopt;
}

[[nodiscard]] verdict read_model(const json::object& body, reply_params& to) {
  const auto* const found = given(body, "model");
  if (found == nullptr)
    return std::nullopt;
  const auto* const name = found->if_string();
  const auto plain = [](char c) { return static_cast<unsigned char>(c) >= ' '; };
  if (name == nullptr || name->size() > most_model_bytes ||
      !std::ranges::all_of(std::string_view{*name}, plain))
    return wrong("model",
                 std::format("must be a name of at most {} bytes", most_model_bytes));
  if (!name->empty())
    to.model = std::string_view{*name};
  return std::nullopt;
}

[[nodiscard]] verdict read_number(const json::object& body, const char* name,
                                  double least, double most,
                                  std::optional<double>& to) {
  const auto* const found = given(body, name);
  if (found == nullptr)
    return std::nullopt;
  if (!found->is_number() || found->to_number<double>() < least ||
      found->to_number<double>() > most)
    return wrong(name, std::format("must be a number from {} to {}", least, most));
  to = found->to_number<double>();
  return std::nullopt;
}

[[nodiscard]] verdict read_limit(const json::object& body, const char* name,
                                 std::optional<std::int64_t>& to) {
  const auto* const found = given(body, name);
  if (found == nullptr)
    return std::nullopt;
  const auto number = whole_number(*found);
  if (!number || *number < 1 || *number > most_tokens)
    return wrong(name, std::format("must be from 1 to {}", most_tokens));
  to = *number;
  return std::nullopt;
}

[[nodiscard]] verdict read_stops(const json::object& body,
                                 std::vector<std::string>& to) {
  const auto* const found = given(body, "stop");
  if (found == nullptr)
    return std::nullopt;
  const auto alone = json::array{*found};
  const auto& all = found->is_array() ? found->get_array() : alone;
  if (all.size() > most_stops)
    return wrong("stop", std::format("must be at most {} texts", most_stops));
  for (const auto& one : all) {
    const auto* const text = one.if_string();
    if (text == nullptr || text->empty() || text->size() > most_stop_bytes)
      return wrong("stop", std::format("must be a text of 1 to {} bytes, or a list of "
                                       "them",
                                       most_stop_bytes));
    to.emplace_back(std::string_view{*text});
  }
  return std::nullopt;
}

[[nodiscard]] verdict read_flag(const json::object& body, const char* name, bool& to) {
  const auto* const found = given(body, name);
  if (found == nullptr)
    return std::nullopt;
  if (!found->is_bool())
    return wrong(name, "must be true or false");
  to = found->get_bool();
  return std::nullopt;
}

[[nodiscard]] verdict read_stream(const json::object& body, completion_request& to) {
  if (auto bad = read_flag(body, "stream", to.streamed))
    return bad;
  const auto* const options = given(body, "stream_options");
  if (options == nullptr)
    return std::nullopt;
  if (!to.streamed || !options->is_object())
    return wrong("stream_options", "must be an object, of a request with stream");
  return read_flag(options->get_object(), "include_usage", to.with_usage);
}

/// The only kind of answer there is.
[[nodiscard]] bool is_plain_text(const json::value& format) {
  const auto* const fields = format.if_object();
  const auto* const type = fields ? given(*fields, "type") : nullptr;
  return type != nullptr && *type == "text";
}

/// What must not be passed over in silence: the answer would not be what was asked for.
[[nodiscard]] verdict check_unsupported(const json::object& body) {
  if (const auto* const n = given(body, "n"); n != nullptr && whole_number(*n) != 1)
    return unsupported("n", "only 1 is taken");
  if (const auto* const one = given(body, "logprobs"); one != nullptr && *one != false)
    return unsupported("logprobs", "only false is taken");
  if (const auto* const one = given(body, "response_format");
      one != nullptr && !is_plain_text(*one))
    return unsupported("response_format", "only text is taken");
  const auto* const modes = given(body, "modalities");
  if (modes != nullptr && *modes != json::value{json::array{"text"}})
    return unsupported("modalities", "only text is taken");
  return std::nullopt;
}

[[nodiscard]] verdict read_params(const json::object& body, reply_params& to) {
  constexpr auto hottest = 2.0;
  if (auto bad = read_model(body, to))
    return bad;
  if (auto bad = read_number(body, "temperature", 0, hottest, to.temperature))
    return bad;
  if (auto bad = read_number(body, "top_p", 0, 1, to.top_p))
    return bad;
  if (auto bad = read_limit(body, "max_tokens", to.max_tokens))
    return bad;
  if (auto bad = read_limit(body, "max_completion_tokens", to.max_tokens))
    return bad;
  return read_stops(body, to.stop);
}

[[nodiscard]] verdict read_all(const json::object& body, completion_request& to) {
  to.asked.recalls = false;
  if (auto bad = read_messages(body, to.asked))
    return bad;
  if (auto bad = read_tools(body, to.asked))
    return bad;
  if (auto bad = read_params(body, to.asked.params))
    return bad;
  if (auto bad = read_stream(body, to))
    return bad;
  if (auto bad = read_flag(body, "memory", to.asked.recalls))
    return bad;
  return check_unsupported(body);
}

} // namespace

std::expected<completion_request, openai_refusal>
read_completion(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return std::unexpected{
        openai_refusal{400, "invalid_json", "The body is no JSON object", {}}};
  auto read = completion_request{};
  if (auto bad = read_all(*parsed, read))
    return std::unexpected{std::move(*bad)};
  return read;
}

} // namespace jessica::wire
