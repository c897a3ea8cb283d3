// A model in use, texts that wait, and vectors for them.
#pragma once

#include "storage/chat.hpp"
#include "storage/embeddings.hpp"
#include "storage/jobs.hpp"
#include "tests/fixtures/letter_embedder.hpp"
#include "tests/postgres/feed_world.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

struct memory_world {
  storage::connection db{database(), storage::role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);
  std::shared_ptr<letter_embedder> letters =
      std::make_shared<letter_embedder>("model-" + user_id::make().str());
  storage::model_number model{};

  memory_world() {
    empty_queue();
    admin("select jessica.use_no_model()");
    admin("delete from public.messages"); // of other cases
    admin("delete from jessica.embedding_scans");
    admin("delete from public.embedding_models");
    admin("delete from public.inference_jobs where kind = 'embedding'");
    model = use(*letters);
  }
  ~memory_world() { admin("select jessica.use_no_model()"); }

  [[nodiscard]] storage::model_number use(const letter_embedder& with) {
    const auto used = use_model(db, with.traits().id, with.traits().dimensions);
    if (!used)
      FAIL(used.error().what);
    return *used;
  }

  /// A user's message, as REST writes it.
  message_id write(const std::string& text, std::string_view status = "complete") {
    const auto id = message_id::make();
    admin("insert into public.messages (id, conversation_id, user_id, content, status) "
          "values ($1, $2, $3, $4, $5)",
          {id.str(), room.str(), ada.str(), text, std::string{status}});
    return id;
  }
  static void edit(message_id which, const std::string& text) {
    admin("update public.messages set content = $2 where id = $1", {which.str(), text});
  }

  [[nodiscard]] storage::text_claim wish(std::size_t want = 10,
                                         std::size_t want_old = 10) const {
    return {model, "node-1", want, want_old, std::chrono::seconds{60}};
  }
  [[nodiscard]] std::vector<storage::text_work> claim(std::size_t want = 10,
                                                      std::size_t want_old = 10) {
    auto taken = claim_texts(db, wish(want, want_old));
    if (!taken)
      FAIL(taken.error().what);
    return std::move(*taken);
  }
  [[nodiscard]] std::vector<storage::text_vectors>
  vectors_of(const std::vector<storage::text_work>& works) const {
    auto made = std::vector<storage::text_vectors>{};
    for (const auto& one : works) {
      made.push_back({one.place, one.version, {}});
      for (const auto& [begin, end] : letters->split(one.text))
        made.back().pieces.push_back(
            {begin, end, letters->vector_of(one.text.substr(begin, end - begin))});
    }
    return made;
  }
  [[nodiscard]] std::vector<bool> store(const std::vector<storage::text_work>& works) {
    auto stored = store_embeddings(db, model, vectors_of(works));
    if (!stored)
      FAIL(stored.error().what);
    return std::move(*stored);
  }
  /// Until nothing waits; how many were stored.
  std::size_t embed_all() {
    auto count = std::size_t{0};
    for (auto taken = claim(); !taken.empty(); taken = claim())
      for (const auto kept : store(taken))
        count += kept ? 1 : 0;
    return count;
  }

  static std::int64_t waiting() {
    return number_of("select count(*) from jessica.unembedded");
  }
  static std::int64_t rows_of(message_id which) {
    return number_of("select count(*) from public.embeddings where message_id = $1",
                     {which.str()});
  }
  /// What the rows of a message were made from: "version:begin-end ...".
  static std::string pieces_of(message_id which) {
    return text_of("select coalesce(string_agg(version || ':' || chunk_begin || '-' || "
                   "chunk_end, ' ' order by chunk), '') "
                   "from public.embeddings where message_id = $1",
                   {which.str()});
  }
  /// How often nodes were told that texts wait, since the stream was read last.
  static int wakes(storage::wal_stream& stream) {
    auto count = 0;
    for (const auto& piece : read_all(stream))
      for (const auto& event : piece.events)
        if (const auto* told = std::get_if<storage::wal_message>(&event))
          count += told->prefix == "jessica" && told->content == "embed" ? 1 : 0;
    return count;
  }
};

/// A second session that has begun a transaction and holds what it changed.
class open_transaction {
public:
  explicit open_transaction(const std::string& sql) {
    auto opened = storage::open_session(database(), storage::role::migrations);
    REQUIRE(opened);
    held_ = std::move(*opened);
    run("begin");
    run(sql);
  }
  void run(const std::string& sql) {
    const auto ran = storage::execute(held_.get(), sql);
    if (!ran)
      FAIL(ran.error().what);
  }

private:
  storage::session held_;
};

} // namespace jessica::test
