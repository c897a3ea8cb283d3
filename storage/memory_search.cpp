#include "storage/memory_search.hpp"

#include "domain/utf8.hpp"
#include "storage/act_as.hpp"
#include "storage/batch_sql.hpp"
#include "storage/embedding_rows.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

/// A piece is some hundred words; a message may be a book.
constexpr auto content_characters = 8192;
constexpr auto excerpt_bytes = 2048;
constexpr auto messages_with_words = 2000;

// A piece that is gone, or of an older text, is not joined: its hit is dropped.
constexpr auto read_places = std::string_view{R"(
  select a.n - 1, m.id, m.conversation_id, m.role,
    (extract(epoch from m.created_at) * 1000000)::bigint,
    left(m.content, {0}), length(m.content) > {0},
    substring(convert_to(m.content, 'UTF8') from coalesce(e.chunk_begin, 0) + 1
      for least(case when e.chunk_end > e.chunk_begin then e.chunk_end - e.chunk_begin
                else {1} end, {1}))
  from unnest($1::uuid[], $2::bigint[]) with ordinality a (message, piece, n)
  join public.messages m on m.id = a.message and m.user_id = $3
  left join public.embeddings e
    on e.id = a.piece and e.message_id = m.id and e.version = m.version
  where a.piece = 0 or e.id is not null
  order by a.n)"};

constexpr auto find_dimensions = std::string_view{
    "select m.id, m.dim from public.embedding_models m "
    "where case when $1 = '' then m.id = public.search_model() else m.name = $1 end"};

// In the order of the score, not of the distance: that the model's index would serve,
// which knows neither users nor filters and gives up when it has seen some dozens. The
// user's own rows are few. A long message has several pieces: a few more rows are read
// than are wanted.
constexpr auto nearest_rows = std::string_view{R"(
  select e.id, e.message_id, 1 - (e.embedding::extensions.vector({0})
    operator(extensions.<=>) $1::extensions.vector({0})) as score
  from public.embeddings e
  where e.model_id = {1} and e.user_id = $2
    and ($3::uuid is null or e.conversation_id = $3)
    and ($4::uuid is null or e.conversation_id <> $4)
    and ($5::text is null or e.role = $5)
    and ($6::bigint is null
         or e.said_at >= timestamptz 'epoch' + $6 * interval '1 microsecond')
    and ($7::bigint is null
         or e.said_at < timestamptz 'epoch' + $7 * interval '1 microsecond')
  order by score desc, e.id desc
  limit $8)"};

// Any of the words will do: a question has words that its answer has not.
constexpr auto word_rows = std::string_view{R"(
  with asked as (
    select replace(plainto_tsquery($1::regconfig, $2)::text, '&', '|')::tsquery as words),
  newest as (
    select m.id, m.seq, m.content
    from public.conversations c
    join public.messages m on m.conversation_id = c.id
    where c.user_id = $3 and m.status = 'complete'
      and ($4::uuid is null or m.conversation_id = $4)
      and ($5::uuid is null or m.conversation_id <> $5)
      and ($6::text is null or m.role = $6)
      and ($7::bigint is null
           or m.created_at >= timestamptz 'epoch' + $7 * interval '1 microsecond')
      and ($8::bigint is null
           or m.created_at < timestamptz 'epoch' + $8 * interval '1 microsecond')
    order by m.created_at desc limit {}),
  ranked as (
    select n.id, n.seq, a.words,
      to_tsvector($1::regconfig, left(n.content, 20000)) as has
    from newest n, asked a)
  select id from ranked
  where has @@ words
  order by ts_rank(has, words) desc, seq desc limit $9)"};

[[nodiscard]] statement become(const memory_owner& whose) {
  return whose.who ? act_as(*whose.who, access::read_only)
                   : act_as_user(whose.user, access::read_only);
}

[[nodiscard]] parameter moment(const std::optional<timestamp>& when) {
  return when ? number(when->time_since_epoch().count()) : parameter{};
}

/// Owner and filter, in the order in which both queries take them.
void add_filter(std::vector<parameter>& to, const memory_owner& whose,
                const memory_filter& filter) {
  const auto id = [](const std::optional<conversation_id>& of) {
    return of ? parameter{of->str()} : parameter{};
  };
  to.push_back(whose.user.str());
  to.push_back(id(filter.conversation));
  to.push_back(id(filter.not_conversation));
  to.push_back(filter.role ? parameter{std::string{name(*filter.role)}} : parameter{});
  to.push_back(moment(filter.since));
  to.push_back(moment(filter.before));
}

/// Text that bytea's hexadecimal form stands for, cut where a character would be.
[[nodiscard]] std::string text_of_bytes(std::string_view hex) {
  const auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  if (hex.starts_with("\\x"))
    hex.remove_prefix(2);
  auto bytes = std::string{};
  for (auto i = std::size_t{0}; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) << 4U | digit(hex[i + 1]));
  auto text = std::string{};
  for (auto left = std::string_view{bytes}; !left.empty();) {
    const auto next = first_code_point(left);
    if (next.valid)
      text += left.substr(0, next.size);
    left.remove_prefix(next.size);
  }
  return text;
}

[[nodiscard]] memory_text read_text(const rows& found, int row) {
  auto what = found_memory{};
  what.message = message_id::parse(found.text(row, 1)).value_or(message_id{});
  what.conversation =
      conversation_id::parse(found.text(row, 2)).value_or(conversation_id{});
  what.role = role_named(found.text(row, 3)).value_or(message_role::user);
  what.said_at = timestamp{std::chrono::microseconds{found.integer(row, 4)}};
  what.content = found.text(row, 5);
  what.cut = found.text(row, 6) == "t";
  what.excerpt = text_of_bytes(found.text(row, 7));
  return {static_cast<std::size_t>(found.integer(row, 0)), std::move(what)};
}

} // namespace

result<std::vector<memory_text>> read_memories(connection& db,
                                               const memory_owner& whose,
                                               std::span<const memory_place> places) {
  const auto statements = std::array{
      become(whose),
      statement{
          std::format(read_places, content_characters, excerpt_bytes),
          {array_of(places,
                    [](const auto& one) { return parameter{one.message.str()}; }),
           array_of(places, [](const auto& one) { return number(one.piece.value); }),
           whose.user.str()}}};
  const auto found = db.run(statements);
  if (!found)
    return std::unexpected{found.error()};
  auto texts = std::vector<memory_text>{};
  for (auto row = 0; row < found->at(1).size(); ++row)
    texts.push_back(read_text(found->at(1), row));
  return texts;
}

result<std::vector<memory_hit>>
nearest_memories(connection& db, const memory_owner& whose, std::string_view model,
                 std::span<const float> vector, const memory_filter& filter,
                 std::size_t k, float min_score) {
  const auto known = db.run(std::array{
      become(whose), statement{std::string{find_dimensions}, {std::string{model}}}});
  if (!known)
    return std::unexpected{known.error()};
  const auto& row = known->at(1);
  if (row.size() == 0)
    return std::vector<memory_hit>{};
  if (static_cast<std::size_t>(row.integer(0, 1)) != vector.size())
    return fail(errc::invalid_input,
                std::format("the vector must have {} numbers", row.integer(0, 1)),
                "validation_failed");
  constexpr auto pieces_a_message = std::size_t{4};
  auto values = std::vector<parameter>{vector_literal(vector)};
  add_filter(values, whose, filter);
  values.push_back(std::to_string(k * pieces_a_message));
  const auto found = db.run(std::array{
      become(whose),
      statement{std::format(nearest_rows, row.integer(0, 1), row.integer(0, 0)),
                std::move(values)}});
  if (!found)
    return std::unexpected{found.error()};
  auto hits = std::vector<memory_hit>{};
  const auto& all = found->at(1);
  for (auto at = 0; at < all.size() && hits.size() < k; ++at) {
    const auto score = std::strtof(std::string{all.text(at, 2)}.c_str(), nullptr);
    const auto message = message_id::parse(all.text(at, 1)).value_or(message_id{});
    if (score >= min_score &&
        !std::ranges::contains(hits, message, &memory_hit::message))
      hits.push_back({{all.integer(at, 0)}, message, score});
  }
  return hits;
}

result<std::vector<message_id>>
memories_with_words(connection& db, const memory_owner& whose,
                    std::string_view language, const std::string& text,
                    const memory_filter& filter, std::size_t k) {
  auto values = std::vector<parameter>{std::string{language}, text};
  add_filter(values, whose, filter);
  values.push_back(std::to_string(k));
  const auto found = db.run(
      std::array{become(whose), statement{std::format(word_rows, messages_with_words),
                                          std::move(values)}});
  if (!found)
    return std::unexpected{found.error()};
  auto messages = std::vector<message_id>{};
  const auto& all = found->at(1);
  for (auto row = 0; row < all.size(); ++row)
    messages.push_back(message_id::parse(all.text(row, 0)).value_or(message_id{}));
  return messages;
}

} // namespace jessica::storage
