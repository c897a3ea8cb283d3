#include "wire/openai_embeddings.hpp"

#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/openai_fields.hpp"

#include <boost/json/array.hpp>

#include <bit>
#include <charconv>
#include <cstring>
#include <format>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

[[nodiscard]] std::optional<openai_refusal> add_text(const json::value& from,
                                                     const std::string& at,
                                                     embed_limits limits,
                                                     std::vector<std::string>& to) {
  constexpr auto blank = std::string_view{" \t\r\n\v\f"};
  const auto* const text = from.if_string();
  if (text == nullptr)
    return wrong(at, from.is_number() || from.is_array()
                         ? "must be a text: lists of tokens are not taken"
                         : "must be a text");
  const auto value = std::string_view{*text};
  if (value.find_first_not_of(blank) == std::string_view::npos)
    return wrong(at, "must not be empty");
  if (value.size() > limits.bytes)
    return openai_refusal{413, "request_too_large",
                          std::format("'{}' is longer than {} bytes", at, limits.bytes),
                          at};
  to.emplace_back(value);
  return std::nullopt;
}

[[nodiscard]] std::optional<openai_refusal> read_input(const json::object& body,
                                                       embed_limits limits,
                                                       std::vector<std::string>& to) {
  const auto* const input = body.if_contains("input");
  if (input == nullptr || input->is_null())
    return wrong("input", "is required");
  const auto* const list = input->if_array();
  if (list == nullptr)
    return add_text(*input, "input", limits, to);
  if (list->empty())
    return wrong("input", "must not be empty");
  if (list->size() > limits.texts)
    return openai_refusal{413, "request_too_large",
                          std::format("'input' is more than {} texts", limits.texts),
                          "input"};
  for (auto i = std::size_t{0}; i < list->size(); ++i)
    if (auto bad = add_text((*list)[i], std::format("input[{}]", i), limits, to))
      return bad;
  return std::nullopt;
}

/// A text field that is one of two words; absent: the first.
[[nodiscard]] std::optional<openai_refusal>
read_choice(const json_reader& body, const char* name, std::string_view first,
            std::string_view second, bool& is_second) {
  const auto word = body.text(name);
  if (!word || (*word && **word != first && **word != second))
    return wrong(name, std::format("must be {} or {}", first, second));
  is_second = *word && **word == second;
  return std::nullopt;
}

void append_floats(std::string& to, const std::vector<float>& vector) {
  constexpr auto longest = std::size_t{16};
  to += '[';
  for (const auto one : vector) {
    char digits[longest];
    const auto end = std::to_chars(digits, digits + longest, one).ptr;
    to.append(digits, end) += ',';
  }
  if (vector.empty())
    to += ']';
  else
    to.back() = ']';
}

void append_base64(std::string& to, std::string_view bytes) {
  constexpr auto digits = std::string_view{
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), std::size_t{3}))) {
    auto three = std::uint32_t{0};
    for (auto i = std::size_t{0}; i < 3; ++i)
      three =
          three << 8U | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    for (auto i = std::size_t{0}; i < 4; ++i)
      to += i <= bytes.size() ? digits[three >> (18U - 6U * i) & 63U] : '=';
  }
}

void append_bytes(std::string& to, const std::vector<float>& vector) {
  static_assert(std::endian::native == std::endian::little);
  auto bytes = std::string(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  to += '"';
  append_base64(to, bytes);
  to += '"';
}

} // namespace

std::expected<embeddings_request, openai_refusal> read_embeddings(std::string_view text,
                                                                  embed_limits limits) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return std::unexpected{
        openai_refusal{400, "invalid_json", "The body is no JSON object", {}}};
  auto read = embeddings_request{};
  if (auto bad = read_input(*parsed, limits, read.texts))
    return std::unexpected{std::move(*bad)};
  const auto body = json_reader{*parsed};
  const auto model = body.text("model");
  if (!model)
    return std::unexpected{wrong("model", "must be a string")};
  read.model = model->value_or("");
  const auto dimensions = body.integer("dimensions");
  if (!dimensions)
    return std::unexpected{wrong("dimensions", "must be a whole number")};
  read.dimensions = *dimensions;
  if (auto bad = read_choice(body, "encoding_format", "float", "base64", read.base64))
    return std::unexpected{std::move(*bad)};
  if (auto bad = read_choice(body, "purpose", "document", "query", read.query))
    return std::unexpected{std::move(*bad)};
  return read;
}

std::string openai_embeddings_json(const embeddings_answer& what) {
  auto list = std::string{"["};
  for (auto i = std::size_t{0}; i < what.vectors.size(); ++i) {
    list += std::format(R"({}{{"object":"embedding","index":{},"embedding":)",
                        i == 0 ? "" : ",", i);
    if (what.base64)
      append_bytes(list, what.vectors[i]);
    else
      append_floats(list, what.vectors[i]);
    list += '}';
  }
  list += ']';
  const auto used = object_writer{}
                        .number("prompt_tokens", what.tokens)
                        .number("total_tokens", what.tokens)
                        .done();
  return object_writer{list.size() + 128}
      .text("object", "list")
      .json("data", list)
      .text("model", what.model)
      .json("usage", used)
      .done();
}

std::string model_json(std::string_view id, std::int64_t created) {
  return object_writer{}
      .text("id", id)
      .text("object", "model")
      .number("created", created)
      .text("owned_by", "jessica")
      .done();
}

std::string models_json(std::span<const std::string> ids, std::int64_t created) {
  auto list = std::string{"["};
  for (const auto& one : ids)
    list.append(list.size() > 1 ? "," : "").append(model_json(one, created));
  return object_writer{}.text("object", "list").json("data", list + "]").done();
}

} // namespace jessica::wire
