#include "bench/load/search_hnswlib.hpp"

#if __has_include(<hnswlib/hnswlib.h>)

#include <hnswlib/hnswlib.h>

#include <format>
#include <memory>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using graph = hnswlib::HierarchicalNSW<float>;
using list = hnswlib::BruteforceSearch<float>;

constexpr auto links = std::size_t{16};
constexpr auto effort = std::size_t{200};
/// To link more of them in one graph would take longer than all the rest.
constexpr auto most_in_one_graph = std::size_t{100'000};

struct everything {
  hnswlib::InnerProductSpace space{search_corpus::dimensions};
  std::vector<std::unique_ptr<list>> lists;
  std::vector<std::unique_ptr<graph>> graphs;
  std::unique_ptr<graph> all;
};

class of_owner final : public hnswlib::BaseFilterFunctor {
public:
  of_owner(std::size_t owner, std::size_t owners) : owner_{owner}, owners_{owners} {}
  bool operator()(hnswlib::labeltype label) override {
    return label % owners_ == owner_;
  }

private:
  std::size_t owner_;
  std::size_t owners_;
};

template <class Index>
std::vector<std::uint32_t> numbers(Index& index, const search_corpus::question& asked,
                                   hnswlib::BaseFilterFunctor* filter) {
  auto found = std::vector<std::uint32_t>{};
  auto queue = index.searchKnn(asked.vector.data(), search_results, filter);
  for (; !queue.empty(); queue.pop())
    found.push_back(static_cast<std::uint32_t>(queue.top().second));
  return found;
}

void add_user(everything& to, const search_corpus& corpus, std::size_t owner) {
  const auto count = (corpus.size() - owner + corpus.owners() - 1) / corpus.owners();
  auto& one_list = to.lists.emplace_back(std::make_unique<list>(&to.space, count));
  auto& one_graph =
      to.graphs.emplace_back(std::make_unique<graph>(&to.space, count, links, effort));
  for (auto n = owner; n < corpus.size(); n += corpus.owners()) {
    one_list->addPoint(corpus.vector(n).data(), n);
    one_graph->addPoint(corpus.vector(n).data(), n);
  }
}

void add_all(everything& to, const search_corpus& corpus) {
  to.all = std::make_unique<graph>(&to.space, corpus.size(), links, effort);
  for (auto n = std::size_t{0}; n < corpus.size(); ++n)
    to.all->addPoint(corpus.vector(n).data(), n);
}

std::vector<search_contender> ways_of(const std::shared_ptr<everything>& all,
                                      const search_corpus& corpus) {
  auto ways = std::vector<search_contender>{};
  const auto add = [&](std::string way, search_answer answer) {
    ways.push_back({"hnswlib", std::move(way), std::move(answer), corpus.size()});
  };
  add("a list for each user", [all](const search_corpus::question& asked) {
    return numbers(*all->lists[asked.owner], asked, nullptr);
  });
  for (const auto ef : {16UL, 32UL, 64UL, 128UL, 256UL})
    add(std::format("a graph for each user, ef {}", ef),
        [all, ef](const search_corpus::question& asked) {
          all->graphs[asked.owner]->setEf(ef);
          return numbers(*all->graphs[asked.owner], asked, nullptr);
        });
  if (all->all)
    for (const auto ef : {32UL, 128UL, 512UL})
      add(std::format("one graph with a filter, ef {}", ef),
          [all, ef, owners = corpus.owners()](const search_corpus::question& asked) {
            auto filter = of_owner{asked.owner, owners};
            all->all->setEf(ef);
            return numbers(*all->all, asked, &filter);
          });
  return ways;
}

} // namespace

result<search_contender>
open_hnswlib(const search_corpus& corpus,
             std::span<const search_corpus::question> questions) {
  const auto all = std::make_shared<everything>();
  for (auto owner = std::size_t{0}; owner < corpus.owners(); ++owner)
    add_user(*all, corpus, owner);
  if (corpus.size() <= most_in_one_graph)
    add_all(*all, corpus);
  return choose_way(ways_of(all, corpus), questions);
}

} // namespace jessica::bench

#else

namespace jessica::bench {

result<search_contender>
open_hnswlib(const search_corpus& /*corpus*/,
             std::span<const search_corpus::question> /*questions*/) {
  return fail(
      errc::unavailable,
      "built without hnswlib: install libhnswlib-dev and build again, or leave it "
      "out with --search-peers pgvector");
}

} // namespace jessica::bench

#endif
