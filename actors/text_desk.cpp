#include "actors/text_desk.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

/// Looked at in one go: some milliseconds of the database's time.
constexpr auto old_page = std::size_t{256};

class database_desk final : public text_desk {
public:
  explicit database_desk(text_desk_options options)
      : quick_{options.database, storage::role::engine, storage::commits::lazy},
        sure_{options.database, storage::role::engine},
        node_{std::move(options.node)},
        batch_{options.batch} {}

  result<storage::model_number> use_model(std::string_view name,
                                          std::size_t dimensions) override {
    return storage::use_model(sure_, name, dimensions);
  }

  result<std::vector<storage::text_work>> claim(storage::model_number model) override {
    // Old texts in small bites: a fresh one waits for the bite to end.
    constexpr auto old_share = std::size_t{4};
    return storage::claim_texts(quick_, {model, node_, batch_,
                                         std::max(batch_ / old_share, std::size_t{1}),
                                         text_lease});
  }

  result<std::vector<bool>>
  store(storage::model_number model,
        std::span<const storage::text_vectors> texts) override {
    return storage::store_embeddings(sure_, model, texts);
  }

  result<std::int64_t> fail(std::span<const storage::text_failure> failures) override {
    return storage::fail_texts(sure_, failures);
  }

  result<void> release(std::span<const storage::text_work> texts,
                       std::chrono::milliseconds pause) override {
    return storage::release_texts(quick_, texts, pause);
  }

  result<storage::old_texts> queue_old(storage::model_number model) override {
    return storage::queue_old_texts(quick_, model, old_page);
  }

  result<bool> drop_old(storage::model_number model) override {
    return storage::drop_old_embeddings(quick_, model, old_page);
  }

  result<storage::text_backlog> count() override {
    return storage::count_waiting_texts(quick_);
  }

private:
  storage::connection quick_;
  storage::connection sure_;
  std::string node_;
  std::size_t batch_;
};

} // namespace

std::unique_ptr<text_desk> open_text_desk(text_desk_options options) {
  return std::make_unique<database_desk>(std::move(options));
}

} // namespace jessica::actors
