#include "storage/embedding_rows.hpp"

#include "storage/batch_sql.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <format>
#include <string>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto columns = std::string_view{
    "id, user_id, conversation_id, message_id, role, said_at_us, vector"};

[[nodiscard]] std::optional<std::uint8_t> nibble(char c) noexcept {
  if (c >= '0' && c <= '9')
    return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

/// Big-endian, of four bytes.
[[nodiscard]] std::optional<std::uint32_t> word_at(std::string_view hex,
                                                   std::size_t at) noexcept {
  auto word = std::uint32_t{0};
  for (auto i = at; i < at + 8; ++i) {
    const auto part = nibble(hex[i]);
    if (!part)
      return std::nullopt;
    word = (word << 4U) | *part;
  }
  return word;
}

[[nodiscard]] std::optional<std::int64_t> number_in(std::string_view text) noexcept {
  auto value = std::int64_t{0};
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{value}
                                                   : std::nullopt;
}

/// The same limits as in jessica.embedding_moment.
constexpr auto first_moment = timestamp{std::chrono::sys_days{
    std::chrono::year{1} / std::chrono::January / std::chrono::day{1}}};
constexpr auto last_moment = timestamp{std::chrono::sys_days{
    std::chrono::year{9999} / std::chrono::December / std::chrono::day{31}}};

/// "2026-11-22 22:24:33.5+00", as the feed's sessions print every timestamptz.
[[nodiscard]] std::optional<timestamp> moment_in(std::string_view text) {
  using namespace std::chrono;
  const auto year_digits = text.find_first_not_of("0123456789");
  if (text == "infinity" || (year_digits != text.npos && year_digits > 4))
    return last_moment;
  if (text == "-infinity" || text.ends_with("BC"))
    return first_moment;
  if (const auto zone = text.rfind("+00"); zone != std::string_view::npos)
    text = text.substr(0, zone);
  auto fields = std::array<int, 7>{}; // year to second, microseconds
  auto at = std::size_t{0};
  auto digits = 0;
  for (const auto c : text) {
    if (c < '0' || c > '9') {
      if (++at == fields.size())
        return std::nullopt;
      digits = 0;
      continue;
    }
    if (++digits > 9)
      return std::nullopt;
    fields[at] = fields[at] * 10 + (c - '0');
  }
  for (; at == 6 && digits < 6; ++digits)
    fields[6] *= 10;
  const auto day =
      year_month_day{year{fields[0]}, month{static_cast<unsigned>(fields[1])},
                     std::chrono::day{static_cast<unsigned>(fields[2])}};
  if (at < 5 || !day.ok())
    return std::nullopt;
  return std::min(last_moment, timestamp{sys_days{day}} + hours{fields[3]} +
                                   minutes{fields[4]} + seconds{fields[5]} +
                                   microseconds{fields[6]});
}

[[nodiscard]] std::unexpected<error> senseless(std::string_view id,
                                               std::string_view what) {
  return fail(errc::invalid_input, std::format("embedding {}: {}", id, what));
}

struct piece_texts {
  std::string_view id;
  std::string_view user;
  std::string_view conversation;
  std::string_view message;
  std::string_view role;
};

[[nodiscard]] result<embedded_piece>
piece_from(const piece_texts& texts, std::optional<timestamp> said_at,
           std::optional<std::vector<float>> vector, std::size_t dimensions) {
  const auto id = number_in(texts.id);
  const auto user = user_id::parse(texts.user);
  const auto conversation = conversation_id::parse(texts.conversation);
  const auto message = message_id::parse(texts.message);
  const auto role = role_named(texts.role);
  if (!id || !user || !conversation || !message || !role || !said_at)
    return senseless(texts.id, "its fields make no sense");
  if (!vector || vector->size() != dimensions)
    return senseless(texts.id, std::format("its vector has {} numbers, not {}",
                                           vector ? vector->size() : 0, dimensions));
  return embedded_piece{{*id}, *user,    *conversation,     *message,
                        *role, *said_at, std::move(*vector)};
}

[[nodiscard]] result<std::vector<embedded_piece>> read_pieces(const rows& found,
                                                              std::size_t dimensions) {
  auto pieces = std::vector<embedded_piece>{};
  pieces.reserve(static_cast<std::size_t>(found.size()));
  for (auto row = 0; row < found.size(); ++row) {
    auto piece = piece_from({found.text(row, 0), found.text(row, 1), found.text(row, 2),
                             found.text(row, 3), found.text(row, 4)},
                            timestamp{std::chrono::microseconds{found.integer(row, 5)}},
                            read_vector_bytes(found.text(row, 6)), dimensions);
    if (!piece)
      return std::unexpected{std::move(piece.error())};
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

} // namespace

result<std::vector<embedded_piece>> load_pieces(connection& db,
                                                const memory_model& model,
                                                std::span<const embedding_id> ids) {
  const auto found =
      db.run({std::format("select {} from jessica.embedding_pieces($1, $2)", columns),
              {number(model.id),
               array_of(ids, [](embedding_id id) { return number(id.value); })}});
  if (!found)
    return std::unexpected{found.error()};
  return read_pieces(*found, model.dimensions);
}

result<std::vector<embedded_piece>>
load_pieces_of(connection& db, const memory_model& model, const user_id& user,
               embedding_id after, std::size_t most) {
  const auto found = db.run(
      {std::format("select {} from jessica.embedding_pieces_of($1, $2, $3, $4)",
                   columns),
       {number(model.id), user.str(), number(after.value), std::to_string(most)}});
  if (!found)
    return std::unexpected{found.error()};
  return read_pieces(*found, model.dimensions);
}

bool is_embeddings(const table_shape& table) noexcept {
  return table.name == "embeddings" && table.schema == "public";
}

result<std::optional<embedded_piece>> piece_of(const row_change& change,
                                               const memory_model& model) {
  const auto row = change.row();
  const auto text = [&](std::string_view column) {
    return row.text(column).value_or("");
  };
  const auto of = number_in(text("model_id"));
  if (!of)
    return senseless(text("id"), "it names no model");
  if (*of != model.id)
    return std::nullopt;
  return piece_from({text("id"), text("user_id"), text("conversation_id"),
                     text("message_id"), text("role")},
                    moment_in(text("said_at")), read_vector(text("embedding")),
                    model.dimensions);
}

std::optional<owned_embedding> removed_by(const row_change& change) {
  const auto old = change.old();
  const auto id = number_in(old.text("id").value_or(""));
  const auto user = user_id::parse(old.text("user_id").value_or(""));
  if (!id || !user)
    return std::nullopt;
  return owned_embedding{{*id}, *user};
}

std::optional<std::vector<float>> read_vector(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']'))
    return std::nullopt;
  auto numbers = std::vector<float>{};
  numbers.reserve(static_cast<std::size_t>(std::ranges::count(text, ',')) + 1);
  const auto* at = text.data() + 1;
  const auto* const end = text.data() + text.size() - 1;
  for (;;) {
    auto value = 0.0F;
    const auto read = std::from_chars(at, end, value);
    if (read.ec != std::errc{})
      return std::nullopt;
    numbers.push_back(value);
    if (read.ptr == end)
      return numbers;
    if (*read.ptr != ',')
      return std::nullopt;
    at = read.ptr + 1;
  }
}

std::optional<std::vector<float>> read_vector_bytes(std::string_view hex) {
  // 16 bits of size, 16 that mean nothing yet, then floats of 32 bits.
  constexpr auto number_digits = std::size_t{8};
  if (!hex.starts_with("\\x"))
    return std::nullopt;
  hex.remove_prefix(2);
  if (hex.size() < number_digits || hex.size() % number_digits != 0)
    return std::nullopt;
  const auto head = word_at(hex, 0);
  const auto count = hex.size() / number_digits - 1;
  if (!head || (*head >> 16U) != count)
    return std::nullopt;
  auto numbers = std::vector<float>(count);
  for (auto i = std::size_t{0}; i < count; ++i) {
    const auto word = word_at(hex, (i + 1) * number_digits);
    if (!word)
      return std::nullopt;
    numbers[i] = std::bit_cast<float>(*word);
  }
  return numbers;
}

std::string vector_literal(std::span<const float> vector) {
  constexpr auto about = std::size_t{13}; // characters a number
  auto text = std::string{"["};
  text.reserve(2 + vector.size() * about);
  for (const auto value : vector)
    text += std::format("{}{}", text.size() == 1 ? "" : ",", value);
  return text + ']';
}

} // namespace jessica::storage
