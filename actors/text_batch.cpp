#include "actors/text_batch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <format>
#include <utility>

namespace jessica::actors {
namespace {

/// A text that was begun so often and never ended may be what ends nodes.
constexpr auto most_begun = 25;
constexpr auto longest_cause = std::size_t{500};

using vectors = std::vector<std::vector<float>>;

[[nodiscard]] bool is_unit(std::span<const float> vector, std::size_t size) {
  constexpr auto tolerance = 0.01;
  auto squares = 0.0;
  for (const auto value : vector)
    squares += double{value} * double{value};
  return vector.size() == size && std::abs(squares - 1.0) < tolerance; // false of NaN
}

class batch_run {
public:
  batch_run(const engines::embedder& with, std::vector<storage::text_work> texts)
      : with_{with}, texts_{std::move(texts)}, causes_(texts_.size()) {
    for (const auto& text : texts_)
      made_.push_back({text.place, text.version, {}});
    for (auto i = std::size_t{0}; i < texts_.size(); ++i)
      split(i);
    std::ranges::stable_sort(pieces_, {}, &piece::tokens);
  }

  void embed(std::size_t run) {
    for (auto begin = std::size_t{0}; begin < pieces_.size() && !away_; begin += run)
      embed_together({pieces_.data() + begin, std::min(run, pieces_.size() - begin)});
  }

  [[nodiscard]] embedded_batch take() && {
    auto batch = embedded_batch{};
    batch.away = std::move(away_);
    for (auto i = std::size_t{0}; i < texts_.size(); ++i)
      if (causes_[i])
        batch.failed.push_back({texts_[i].place, texts_[i].version, texts_[i].attempt,
                                causes_[i]->what.substr(0, longest_cause),
                                texts_[i].attempt < most_begun});
      else if (std::ranges::all_of(made_[i].pieces, &has_vector))
        batch.ready.push_back(std::move(made_[i]));
      else
        batch.unserved.push_back(std::move(texts_[i]));
    return batch;
  }

private:
  struct piece {
    std::size_t text = 0;
    std::size_t nth = 0;
    std::size_t tokens = 0;
  };

  [[nodiscard]] static bool has_vector(const storage::piece_vector& one) {
    return !one.vector.empty();
  }

  void split(std::size_t i) {
    if (texts_[i].attempt >= most_begun) {
      causes_[i] = error{errc::internal,
                         std::format("begun {} times and never ended", most_begun),
                         {},
                         nullptr};
      return;
    }
    for (const auto [begin, end] : with_.split(texts_[i].text)) {
      pieces_.push_back({i, made_[i].pieces.size(),
                         with_.count_tokens(slice(texts_[i].text, begin, end))});
      made_[i].pieces.push_back({begin, end, {}});
    }
  }

  [[nodiscard]] static std::string_view slice(std::string_view text, std::size_t begin,
                                              std::size_t end) {
    return text.substr(begin, end - begin);
  }

  [[nodiscard]] storage::piece_vector& made_of(const piece& which) {
    return made_[which.text].pieces[which.nth];
  }

  void embed_together(std::span<const piece> some) {
    auto inputs = std::vector<std::string>{};
    auto whose = std::vector<piece>{};
    for (const auto& one : some) {
      if (causes_[one.text])
        continue; // a text is stored as a whole or not at all
      const auto& made = made_of(one);
      inputs.emplace_back(slice(texts_[one.text].text, made.begin, made.end));
      whose.push_back(one);
    }
    if (inputs.empty())
      return;
    auto got = embed_checked(with_, inputs, engines::text_purpose::document);
    if (got)
      for (auto i = std::size_t{0}; i < whose.size(); ++i)
        made_of(whose[i]).vector = std::move((*got)[i]);
    else if (is_away(got.error()))
      away_ = std::move(got.error());
    else if (whose.size() == 1)
      causes_[whose.front().text] = std::move(got.error());
    else
      for (const auto& one : whose)
        if (!away_)
          embed_together({&one, 1});
  }

  const engines::embedder& with_;
  std::vector<storage::text_work> texts_;
  std::vector<storage::text_vectors> made_;
  std::vector<std::optional<error>> causes_;
  std::vector<piece> pieces_;
  std::optional<error> away_;
};

} // namespace

bool is_away(const error& why) noexcept {
  return why.code == errc::unavailable || why.code == errc::overloaded ||
         why.code == errc::timeout;
}

result<vectors> embed_checked(const engines::embedder& with,
                              std::span<const std::string> texts,
                              engines::text_purpose purpose) {
  auto got = with.embed(texts, purpose);
  if (!got)
    return got;
  const auto size = with.traits().dimensions;
  if (got->size() != texts.size())
    return fail(errc::internal,
                std::format("{} vectors of {} texts", got->size(), texts.size()));
  for (const auto& one : *got)
    if (!is_unit(one, size))
      return fail(errc::internal,
                  std::format("the embedder's answer is no vector of {} numbers and "
                              "length 1",
                              size));
  return got;
}

embedded_batch embed_batch(const engines::embedder& with,
                           std::vector<storage::text_work> texts, std::size_t run) {
  auto work = batch_run{with, std::move(texts)};
  work.embed(std::max(run, std::size_t{1}));
  return std::move(work).take();
}

} // namespace jessica::actors
