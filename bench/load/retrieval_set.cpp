#include "bench/load/retrieval_set.hpp"

#include <format>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace jessica::bench {
namespace {

class reader {
public:
  [[nodiscard]] bool take(std::string_view line) {
    constexpr auto mark_bytes = std::size_t{2};
    if (line.empty() || line.starts_with('#'))
      return true;
    if (line.size() <= mark_bytes || line[1] != ' ')
      return false;
    const auto text = std::string{line.substr(mark_bytes)};
    if (line.front() == 'q')
      return begin_query(text);
    if (line.front() == 'p')
      return std::exchange(waiting_, false) && add(text, false);
    if (line.front() == 'h')
      return !waiting_ && !made_.queries.empty() && add(text, true);
    return line.front() == 'd' && !waiting_ && add(text, false);
  }

  [[nodiscard]] bool whole() const { return !waiting_ && !made_.queries.empty(); }
  [[nodiscard]] retrieval_set made() && { return std::move(made_); }

private:
  [[nodiscard]] bool begin_query(const std::string& text) {
    made_.queries.push_back({text, made_.documents.size()});
    return !std::exchange(waiting_, true);
  }

  [[nodiscard]] bool add(const std::string& text, bool hard) {
    made_.documents.push_back(text);
    made_.hard.push_back(hard);
    return known_.insert(text).second;
  }

  retrieval_set made_;
  std::set<std::string> known_;
  bool waiting_ = false; ///< for a query's paraphrase
};

} // namespace

result<retrieval_set> read_retrieval_set(std::string_view text) {
  auto in = std::istringstream{std::string{text}};
  auto into = reader{};
  auto line = std::string{};
  for (auto number = 1; std::getline(in, line); ++number)
    if (!into.take(line))
      return fail(errc::invalid_input,
                  std::format("line {} does not belong there: {}", number, line));
  if (!into.whole())
    return fail(errc::invalid_input, "the last query has no paraphrase");
  return std::move(into).made();
}

result<retrieval_set> read_retrieval_file(const std::filesystem::path& at) {
  auto in = std::ifstream{at, std::ios::binary};
  const auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return fail(errc::not_found, at.string() + " cannot be read");
  return read_retrieval_set(text);
}

retrieval_score score_of(const std::vector<std::size_t>& ranks) {
  constexpr auto few = std::size_t{5};
  auto made = retrieval_score{};
  for (const auto rank : ranks) {
    const auto share = 1.0 / static_cast<double>(ranks.size());
    made.recall_at_1 += rank == 1 ? share : 0;
    made.recall_at_5 += rank <= few ? share : 0;
    made.reciprocal_rank += share / static_cast<double>(rank);
  }
  return made;
}

} // namespace jessica::bench
