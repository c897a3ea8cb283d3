#include "storage/embeddings.hpp"

#include "storage/act_as.hpp"
#include "storage/batch_sql.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto claim = std::string_view{R"(
  select rank, seq, version, attempt, message_id, content
  from jessica.claim_texts($1, $2, $3, $4, make_interval(secs => $5)))"};

constexpr auto take = std::string_view{R"(
  select rank, seq, version, attempt, message_id, content
  from jessica.take_text($1, $2, $3, make_interval(secs => $4)))"};

constexpr auto store = std::string_view{R"(
  select jessica.store_embeddings($1, $2, $3, $4, $5, $6, $7, $8, $9))"};

constexpr auto put_back = std::string_view{R"(
  select jessica.release_texts($1, $2, $3, $4, make_interval(secs => $5 / 1000.0)))"};

[[nodiscard]] parameter size_of(std::size_t value) {
  return std::to_string(value);
}

[[nodiscard]] text_work read_work(const rows& found, int row) {
  return {.place = {static_cast<std::int16_t>(found.integer(row, 0)),
                    found.integer(row, 1)},
          .version = static_cast<std::int32_t>(found.integer(row, 2)),
          .attempt = static_cast<std::int32_t>(found.integer(row, 3)),
          .message = {uuid::parse(found.text(row, 4)).value_or(uuid{})},
          .text = std::string{found.text(row, 5)}};
}

/// As pgvector reads it; the shortest digits that give the same numbers again.
[[nodiscard]] std::string vector_text(std::span<const float> numbers) {
  constexpr auto longest = std::size_t{16};
  auto text = std::string{"["};
  text.reserve(numbers.size() * longest);
  for (const auto value : numbers) {
    char digits[longest];
    const auto end = std::to_chars(digits, digits + longest, value).ptr;
    text.append(digits, end);
    text.push_back(',');
  }
  text.back() = ']';
  return text;
}

/// All pieces of all texts, one array a column.
struct piece_columns {
  std::vector<parameter> places; ///< of their texts, from 1
  std::vector<parameter> chunks;
  std::vector<parameter> begins;
  std::vector<parameter> ends;
  std::vector<parameter> vectors;
};

[[nodiscard]] piece_columns columns_of(std::span<const text_vectors> texts) {
  auto made = piece_columns{};
  for (auto i = std::size_t{0}; i < texts.size(); ++i) {
    auto chunk = std::size_t{0};
    for (const auto& piece : texts[i].pieces) {
      made.places.push_back(size_of(i + 1));
      made.chunks.push_back(size_of(chunk++));
      made.begins.push_back(size_of(piece.begin));
      made.ends.push_back(size_of(piece.end));
      made.vectors.emplace_back(vector_text(piece.vector));
    }
  }
  return made;
}

template <class Texts> [[nodiscard]] parameter ranks_of(const Texts& texts) {
  return array_of(texts, [](const auto& one) { return number(one.place.rank); });
}
template <class Texts> [[nodiscard]] parameter seqs_of(const Texts& texts) {
  return array_of(texts, [](const auto& one) { return number(one.place.seq); });
}
template <class Texts> [[nodiscard]] parameter versions_of(const Texts& texts) {
  return array_of(texts, [](const auto& one) { return number(one.version); });
}
template <class Texts> [[nodiscard]] parameter attempts_of(const Texts& texts) {
  return array_of(texts, [](const auto& one) { return number(one.attempt); });
}

} // namespace

result<model_number> use_model(connection& db, std::string_view name,
                               std::size_t dimensions) {
  return db
      .run({"select jessica.use_model($1, $2)",
            {std::string{name}, size_of(dimensions)}})
      .transform([](const rows& found) {
        return model_number{static_cast<std::int16_t>(found.integer(0, 0))};
      });
}

result<std::optional<model_number>> find_used_model(connection& db,
                                                    std::string_view name) {
  return db
      .run({"select id from jessica.used_model() where name = $1", {std::string{name}}})
      .transform([](const rows& found) {
        return found.size() == 0 ? std::nullopt
                                 : std::optional{model_number{
                                       static_cast<std::int16_t>(found.integer(0, 0))}};
      });
}

result<std::optional<searched_model>> find_searched_model(connection& db) {
  const auto found = db.run({"select id, name, dim from jessica.searched_model()", {}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 0)
    return std::nullopt;
  return searched_model{{static_cast<std::int16_t>(found->integer(0, 0))},
                        std::string{found->text(0, 1)},
                        static_cast<std::size_t>(found->integer(0, 2))};
}

result<std::vector<text_work>> claim_texts(connection& db, const text_claim& wish) {
  return db
      .run({std::string{claim},
            {number(wish.model.value), wish.node, size_of(wish.want),
             size_of(wish.want_old), number(wish.lease.count())}})
      .transform([](const rows& found) {
        auto texts = std::vector<text_work>{};
        for (auto row = 0; row < found.size(); ++row)
          texts.push_back(read_work(found, row));
        return texts;
      });
}

result<std::optional<text_work>> take_text(connection& db, const text_claim& wish,
                                           message_id message) {
  return db
      .run({std::string{take},
            {number(wish.model.value), wish.node, message.str(),
             number(wish.lease.count())}})
      .transform([](const rows& found) {
        return found.size() == 0 ? std::nullopt : std::optional{read_work(found, 0)};
      });
}

result<std::size_t> count_vectors(connection& db, model_number model,
                                  message_id message) {
  return db
      .run({"select jessica.count_vectors($1, $2)",
            {number(model.value), message.str()}})
      .transform([](const rows& found) {
        return static_cast<std::size_t>(found.integer(0, 0));
      });
}

result<std::vector<bool>> store_embeddings(connection& db, model_number model,
                                           std::span<const text_vectors> texts) {
  if (texts.empty())
    return std::vector<bool>{};
  const auto pieces = columns_of(texts);
  return db
      .run({std::string{store},
            {number(model.value), ranks_of(texts), seqs_of(texts), versions_of(texts),
             array_literal(pieces.places), array_literal(pieces.chunks),
             array_literal(pieces.begins), array_literal(pieces.ends),
             array_literal(pieces.vectors)}})
      .transform([&](const rows& found) {
        auto stored = std::vector<bool>(texts.size(), false);
        for (auto row = 0; row < found.size(); ++row)
          stored.at(static_cast<std::size_t>(found.integer(row, 0) - 1)) = true;
        return stored;
      });
}

result<std::int64_t> fail_texts(connection& db,
                                std::span<const text_failure> failures) {
  if (failures.empty())
    return std::int64_t{0};
  return db
      .run({"select jessica.fail_texts($1, $2, $3, $4, $5, $6)",
            {ranks_of(failures), seqs_of(failures), versions_of(failures),
             attempts_of(failures),
             array_of(failures, [](const auto& one) { return one.what; }),
             array_of(failures,
                      [](const auto& one) { return one.retryable ? "t" : "f"; })}})
      .transform([](const rows& found) { return found.integer(0, 0); });
}

result<void> release_texts(connection& db, std::span<const text_work> texts,
                           std::chrono::milliseconds pause) {
  if (texts.empty())
    return {};
  return db
      .run({std::string{put_back},
            {ranks_of(texts), seqs_of(texts), versions_of(texts), attempts_of(texts),
             number(pause.count())}})
      .transform([](const rows&) {});
}

result<old_texts> queue_old_texts(connection& db, model_number model,
                                  std::size_t want) {
  return db
      .run({"select jessica.queue_old_texts($1, $2)",
            {number(model.value), size_of(want)}})
      .transform([](const rows& found) {
        const auto state = found.text(0, 0);
        if (state == "complete")
          return old_texts::complete;
        return state == "more" ? old_texts::more : old_texts::waiting;
      });
}

result<bool> drop_old_embeddings(connection& db, model_number model, std::size_t want) {
  return db
      .run({"select jessica.drop_old_embeddings($1, $2)",
            {number(model.value), size_of(want)}})
      .transform([](const rows& found) { return found.text(0, 0) == "t"; });
}

result<text_backlog> count_waiting_texts(connection& db) {
  return db.run({"select waiting, oldest from jessica.texts_waiting()", {}})
      .transform([](const rows& found) {
        auto counted = text_backlog{.waiting = found.integer(0, 0)};
        const auto age = found.text(0, 1);
        std::from_chars(age.data(), age.data() + age.size(), counted.oldest_seconds);
        return counted;
      });
}

result<bool> sees_message(connection& db, const identity& who, message_id message) {
  const auto statements = std::array{
      act_as(who, access::read_only),
      statement{"select from public.messages where id = $1", {message.str()}}};
  return db.run(statements).transform([](const std::vector<rows>& found) {
    return found.at(1).size() > 0;
  });
}

result<lsn> log_position(connection& db) {
  return db.run({"select pg_current_wal_flush_lsn()", {}})
      .transform([](const rows& found) {
        return lsn::parse(found.text(0, 0)).value_or(lsn{});
      });
}

} // namespace jessica::storage
