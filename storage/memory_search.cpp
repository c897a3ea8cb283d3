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
constexpr auto most_words = 50;

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

// What a question's words are worth; the header tells the rule. Kinds of tokens are
// those of PostgreSQL's parser: 1, 2, 10 and 11 are words, 12 to 14 what lies between
// them, 15 to 17 compounds, whose parts come as well. `low` is a word in lower case,
// and its stem. German writes all nouns with a capital.
constexpr auto word_rows = std::string_view{R"(
  with tokens as (
    select tsvector_to_array(to_tsvector($1::regconfig, token)) as word,
      lower(token) as token,
      tokid not in (1, 2, 10, 11) or count(*) over () = 1 as name,
      tokid in (1, 2, 10, 11) and token ~ '^[[:upper:]]'
        and $2 ~ ('[[:lower:][:digit:],;)] +' || token) as capital
    from ts_parse('default', $2) where tokid not between 12 and 17),
  asked as materialized (
    select word, bool_or(name) as name, bool_or(capital) as capital,
      '(' || string_agg(distinct regexp_replace(part, '(\W)', '\\\1', 'g'), '|') || ')\M'
        as low
    from tokens, unnest(word || token) part
    where word <> '{{}}' group by word limit {1}),
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
    order by m.created_at desc limit {0}),
  read as materialized (
    select id, seq, left(content, 20000) as content,
      tsvector_to_array(to_tsvector($1::regconfig, left(content, 20000))) as has
    from newest),
  matched as materialized (
    select r.id, r.seq, r.content, a.word from read r join asked a on r.has @> a.word),
  weighed as materialized (
    select a.word,
      ln(1 + (select count(*) from read)::float8 / greatest(count(m.id), 1)) as weight,
      a.name
        or ($1::regconfig <> 'german'::regconfig
            and not coalesce(bool_or(m.content ~ ('\m' || a.low)), false)
            and (a.capital or coalesce(bool_or(
              lower(m.content) ~ ('[[:lower:][:digit:],;)] +' || a.low)), false)))
        as name
    from asked a left join matched m using (word)
    group by a.word, a.name, a.capital, a.low)
  select m.id, sum(case when w.name then w.weight else w.weight / 6 end)
    / (select sum(weight) from weighed) as match
  from matched m join weighed w using (word)
  group by m.id, m.seq
  order by match desc, m.seq desc limit $9)"};

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

result<std::vector<worded_memory>>
memories_with_words(connection& db, const memory_owner& whose,
                    std::string_view language, const std::string& text,
                    const memory_filter& filter, std::size_t k) {
  auto values = std::vector<parameter>{std::string{language}, text};
  add_filter(values, whose, filter);
  values.push_back(std::to_string(k));
  const auto found = db.run(std::array{
      become(whose), statement{std::format(word_rows, messages_with_words, most_words),
                               std::move(values)}});
  if (!found)
    return std::unexpected{found.error()};
  auto memories = std::vector<worded_memory>{};
  const auto& all = found->at(1);
  for (auto row = 0; row < all.size(); ++row)
    memories.push_back({message_id::parse(all.text(row, 0)).value_or(message_id{}),
                        std::strtof(std::string{all.text(row, 1)}.c_str(), nullptr)});
  return memories;
}

} // namespace jessica::storage
