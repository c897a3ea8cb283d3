#include "bench/load/search_index.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begun) {
  return std::chrono::duration<double>(clock::now() - begun).count();
}

template <class Id> Id numbered(std::size_t number) {
  auto id = Id{};
  for (auto i = std::size_t{0}; i < sizeof number; ++i)
    id.value.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.value.bytes[0] = 1;
  return id;
}

/// One piece for each message, as the others know no messages.
embedded_piece piece_of(const search_corpus& corpus, std::size_t n) {
  const auto vector = corpus.vector(n);
  return {.id = {static_cast<std::int64_t>(n)},
          .user = numbered<user_id>(n % corpus.owners()),
          .conversation = numbered<conversation_id>(n / 20),
          .message = numbered<message_id>(n),
          .role = message_role::user,
          .said_at = timestamp{std::chrono::seconds{n}},
          .vector = {vector.begin(), vector.end()}};
}

result<std::vector<std::uint32_t>> ask(index::vector_index& index,
                                       const search_corpus::question& asked) {
  constexpr auto any_score = -1.0F;
  const auto hits = index.find(numbered<user_id>(asked.owner), asked.vector, {},
                               search_results, any_score);
  if (!hits)
    return std::unexpected{hits.error()};
  if (!*hits)
    return fail(errc::internal, "a user of the benchmark was dropped");
  auto numbers = std::vector<std::uint32_t>{};
  for (const auto& hit : **hits)
    numbers.push_back(static_cast<std::uint32_t>(hit.id.value));
  return numbers;
}

/// Whatever is in memory of this process, files that are mapped included.
std::size_t resident_bytes() {
  auto pages = std::size_t{0};
  auto resident = std::size_t{0};
  std::ifstream{"/proc/self/statm"} >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

search_index::search_index(std::shared_ptr<index::vector_index> index,
                           index::index_options options)
    : name_{options.form == index::vector_form::int8 ? "jessica int8" : "jessica"},
      index_{std::move(index)},
      options_{std::move(options)} {}

result<search_index> search_index::fill(const search_corpus& corpus,
                                        index::vector_form form) {
  auto options = index::index_options{
      .model = "bench", .dimensions = search_corpus::dimensions, .form = form};
  auto made = index::vector_index::make(options);
  if (!made)
    return std::unexpected{std::move(made.error())};
  auto filled = search_index{std::make_shared<index::vector_index>(std::move(*made)),
                             std::move(options)};
  const auto begun = clock::now();
  for (auto n = std::size_t{0}; n < corpus.size(); ++n)
    if (auto added = filled.index_->add(piece_of(corpus, n)); !added)
      return std::unexpected{std::move(added.error())};
  filled.add_seconds_ = seconds_since(begun);
  const auto linking = clock::now();
  while (filled.index_->work()) {
  }
  filled.link_seconds_ = seconds_since(linking);
  filled.vectors_ = corpus.size();
  filled.owners_ = corpus.owners();
  return filled;
}

search_contender search_index::contender() const {
  return {name_, "", [index = index_](const auto& asked) { return ask(*index, asked); },
          vectors_};
}

result<void> search_index::search_everybody(index::vector_index& among) const {
  auto asked = search_corpus::question{};
  asked.vector.assign(search_corpus::dimensions, 1.0F);
  for (asked.owner = 0; asked.owner < owners_; ++asked.owner)
    if (const auto found = ask(among, asked); !found)
      return std::unexpected{found.error()};
  return {};
}

void search_index::report(round& to) const {
  const auto count = static_cast<double>(vectors_);
  to.push_back({name_ + " memory of a vector", "B",
                static_cast<double>(index_->size().bytes) / count});
  to.push_back({name_ + " added", "1/s", count / add_seconds_});
  to.push_back({name_ + " linked afterwards", "s", link_seconds_});
}

result<void>
search_index::report_file(const std::filesystem::path& file,
                          std::span<const search_corpus::question> questions,
                          round& to) const {
  auto begun = clock::now();
  const auto frozen = index_->freeze();
  to.push_back({name_ + " freeze", "ms", seconds_since(begun) * 1e3});
  begun = clock::now();
  if (auto written = index::vector_index::write(*frozen, file); !written)
    return written;
  to.push_back({name_ + " write", "s", seconds_since(begun)});
  begun = clock::now();
  auto opened = index::vector_index::open(options_, file);
  if (!opened)
    return std::unexpected{std::move(opened.error())};
  to.push_back({name_ + " open", "ms", seconds_since(begun) * 1e3});
  // Vectors are checked when their user is first searched.
  const auto score =
      ask_all([&](const auto& asked) { return ask(*opened, asked); }, questions);
  if (!score)
    return std::unexpected{score.error()};
  add_percentiles(to, name_ + " first searches", score->waited, {50, 99});
  if (auto checked = report_whole(file, to); !checked)
    return checked;
  std::filesystem::remove(file);
  return {};
}

result<void> search_index::report_whole(const std::filesystem::path& file,
                                        round& to) const {
  const auto held = resident_bytes();
  const auto begun = clock::now();
  auto opened = index::vector_index::open(options_, file);
  if (!opened)
    return std::unexpected{std::move(opened.error())};
  if (auto searched = search_everybody(*opened); !searched)
    return searched;
  to.push_back({name_ + " opened, each user searched", "s", seconds_since(begun)});
  const auto grown = static_cast<double>(resident_bytes()) - static_cast<double>(held);
  to.push_back({name_ + " resident then", "MB", grown / 1e6});
  return {};
}

} // namespace jessica::bench
