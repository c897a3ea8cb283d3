#include "engines/chat_chunk.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace jessica::engines {
namespace json = boost::json;
namespace {

[[nodiscard]] std::unexpected<error> broken(std::string_view why) {
  return fail(errc::invalid_input, std::string{why});
}

/// Null and absent are the same.
[[nodiscard]] const json::value* find(const json::object& in, std::string_view name) {
  const auto* const found = in.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

[[nodiscard]] const json::object* find_object(const json::object& in,
                                              std::string_view name) {
  const auto* const found = find(in, name);
  return found == nullptr ? nullptr : found->if_object();
}

/// PostgreSQL cannot store a NUL.
void append_text(std::string& to, std::string_view text) {
  for (auto end = text.find('\0'); end != text.npos; end = text.find('\0')) {
    to += text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  to += text;
}

/// A text, or a list of parts of which those of type "text" count.
[[nodiscard]] bool take_content(const json::value& from, std::string& to) {
  if (const auto* const text = from.if_string()) {
    append_text(to, *text);
    return true;
  }
  const auto* const parts = from.if_array();
  if (parts == nullptr)
    return false;
  for (const auto& part : *parts)
    if (const auto* const one = part.if_object())
      if (const auto* const text = find(*one, "text"); text && text->is_string())
        append_text(to, text->get_string());
  return true;
}

[[nodiscard]] std::int64_t count_of(const json::object& in, std::string_view name) {
  const auto* const found = find(in, name);
  const auto* const number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr || *number < 0 ? 0 : *number;
}

[[nodiscard]] std::string text_of(const json::object& in, std::string_view name) {
  const auto* const found = find(in, name);
  if (found == nullptr)
    return {};
  if (const auto* const text = found->if_string())
    return std::string{*text};
  if (const auto* const number = found->if_int64())
    return std::to_string(*number);
  return {};
}

[[nodiscard]] complaint complaint_of(const json::value& what) {
  if (const auto* const text = what.if_string())
    return {std::string{*text}, {}};
  const auto* const fields = what.if_object();
  if (fields == nullptr)
    return {};
  auto type = text_of(*fields, "type");
  return {text_of(*fields, "message"),
          type.empty() ? text_of(*fields, "code") : std::move(type)};
}

/// Arguments are a text, piece by piece; some servers send the whole object.
[[nodiscard]] bool take_arguments(const json::object& function, std::string& to) {
  const auto* const found = find(function, "arguments");
  if (found == nullptr)
    return true;
  if (const auto* const text = found->if_string())
    append_text(to, *text);
  else if (found->is_object())
    to = json::serialize(*found);
  else
    return false;
  return true;
}

[[nodiscard]] bool take_call(const json::value& from, std::vector<call_piece>& to) {
  const auto* const fields = from.if_object();
  if (fields == nullptr)
    return false;
  auto& piece = to.emplace_back();
  if (const auto* const index = find(*fields, "index"))
    if (const auto* const number = index->if_int64())
      piece.index = *number;
  append_text(piece.id, text_of(*fields, "id"));
  const auto* const function = find_object(*fields, "function");
  if (function == nullptr)
    return true;
  append_text(piece.name, text_of(*function, "name"));
  return take_arguments(*function, piece.arguments);
}

[[nodiscard]] bool take_calls(const json::object& said, std::vector<call_piece>& to) {
  const auto* const calls = find(said, "tool_calls");
  if (calls == nullptr)
    return true;
  const auto* const list = calls->if_array();
  if (list == nullptr)
    return false;
  return std::ranges::all_of(*list,
                             [&](const auto& one) { return take_call(one, to); });
}

/// Takes what one of the choices says.
[[nodiscard]] bool take_choice(const json::object& choice, chat_chunk& to) {
  to.finish_reason = text_of(choice, "finish_reason");
  const auto* said = find_object(choice, "delta");
  if (said == nullptr)
    said = find_object(choice, "message");
  if (said == nullptr)
    return true;
  const auto* const content = find(*said, "content");
  if (content != nullptr && !take_content(*content, to.text))
    return false;
  for (const auto name : {"reasoning_content", "reasoning"})
    if (const auto* const thought = find(*said, name);
        thought && thought->is_string()) {
      append_text(to.reasoning, thought->get_string());
      break; // some send both, with the same text
    }
  return take_calls(*said, to.calls);
}

[[nodiscard]] const json::object* first_choice(const json::array& choices) {
  for (const auto& one : choices)
    if (const auto* const choice = one.if_object())
      if (count_of(*choice, "index") == 0)
        return choice;
  return nullptr;
}

[[nodiscard]] json::value parse(std::string_view text, json::storage_ptr memory,
                                boost::system::error_code& failed) {
  auto how = json::parse_options{};
  // Half of a surrogate pair, escaped: some servers cut their tokens there.
  how.allow_invalid_utf16 = true;
  return json::parse(text, failed, std::move(memory), how);
}

} // namespace

result<chat_chunk> read_chunk(std::string_view text) {
  auto buffer = std::array<unsigned char, 4096>{}; // most chunks need no other memory
  auto memory = json::monotonic_resource{buffer.data(), buffer.size()};
  auto failed = boost::system::error_code{};
  const auto parsed = parse(text, &memory, failed);
  const auto* const fields = failed ? nullptr : parsed.if_object();
  if (fields == nullptr)
    return broken("a chunk is no JSON object");
  auto chunk = chat_chunk{};
  if (const auto* const what = find(*fields, "error")) {
    chunk.failed = complaint_of(*what);
    return chunk;
  }
  if (const auto* const used = find_object(*fields, "usage"))
    chunk.used = usage{count_of(*used, "prompt_tokens"),
                       count_of(*used, "completion_tokens"), false};
  const auto* const choices = find(*fields, "choices");
  if (choices == nullptr)
    return chunk;
  if (!choices->is_array())
    return broken("choices are no list");
  const auto* const choice = first_choice(choices->get_array());
  if (choice != nullptr && !take_choice(*choice, chunk))
    return broken("content is no text, or calls of tools are none");
  return chunk;
}

complaint read_complaint(std::string_view body) {
  auto failed = boost::system::error_code{};
  const auto parsed = parse(body, {}, failed);
  const auto* fields = failed ? nullptr : parsed.if_object();
  if (const auto* const list = failed ? nullptr : parsed.if_array();
      list != nullptr && !list->empty())
    fields = list->front().if_object();
  if (fields == nullptr)
    return {};
  if (const auto* const what = find(*fields, "error"))
    return complaint_of(*what);
  return complaint_of(*fields);
}

result<std::vector<std::string>> read_models(std::string_view body) {
  auto failed = boost::system::error_code{};
  const auto parsed = parse(body, {}, failed);
  const auto* const fields = failed ? nullptr : parsed.if_object();
  const auto* const data = fields == nullptr ? nullptr : find(*fields, "data");
  if (data == nullptr || !data->is_array())
    return broken("the list of models is no list");
  auto ids = std::vector<std::string>{};
  for (const auto& one : data->get_array())
    if (const auto* const model = one.if_object())
      if (auto id = text_of(*model, "id"); !id.empty())
        ids.push_back(std::move(id));
  return ids;
}

} // namespace jessica::engines
