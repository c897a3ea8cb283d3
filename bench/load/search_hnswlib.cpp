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

/// It allocates 65,536 mutexes for each graph: thousands of graphs fit no memory.
constexpr auto most_graphs = std::size_t{1'000};

/// What one way searches; it is gone with the way.
template <class Index> struct holder {
  hnswlib::InnerProductSpace space{search_corpus::dimensions};
  std::vector<std::unique_ptr<Index>> of_owner;
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

std::size_t vectors_of(const search_corpus& corpus, std::size_t owner) {
  return (corpus.size() - owner + corpus.owners() - 1) / corpus.owners();
}

std::shared_ptr<holder<list>> make_lists(const search_corpus& corpus) {
  const auto made = std::make_shared<holder<list>>();
  for (auto owner = std::size_t{0}; owner < corpus.owners(); ++owner) {
    auto& one = made->of_owner.emplace_back(
        std::make_unique<list>(&made->space, vectors_of(corpus, owner)));
    for (auto n = owner; n < corpus.size(); n += corpus.owners())
      one->addPoint(corpus.vector(n).data(), n);
  }
  return made;
}

std::shared_ptr<holder<graph>> make_graphs(const search_corpus& corpus) {
  const auto made = std::make_shared<holder<graph>>();
  for (auto owner = std::size_t{0}; owner < corpus.owners(); ++owner) {
    auto& one = made->of_owner.emplace_back(std::make_unique<graph>(
        &made->space, vectors_of(corpus, owner), links, effort));
    for (auto n = owner; n < corpus.size(); n += corpus.owners())
      one->addPoint(corpus.vector(n).data(), n);
  }
  return made;
}

std::shared_ptr<holder<graph>> make_one_graph(const search_corpus& corpus) {
  const auto made = std::make_shared<holder<graph>>();
  auto& one = made->of_owner.emplace_back(
      std::make_unique<graph>(&made->space, corpus.size(), links, effort));
  for (auto n = std::size_t{0}; n < corpus.size(); ++n)
    one->addPoint(corpus.vector(n).data(), n);
  return made;
}

std::vector<search_contender> ways_of(const search_corpus& corpus) {
  auto ways = std::vector<search_contender>{};
  const auto add = [&](std::string way, search_answer answer) {
    ways.push_back({"hnswlib", std::move(way), std::move(answer), corpus.size()});
  };
  const auto graphs_fit = corpus.owners() <= most_graphs;
  add(std::format("a list for each user{}",
                  graphs_fit ? "" : "; a graph for each does not fit in memory"),
      [lists = make_lists(corpus)](const search_corpus::question& asked) {
        return numbers(*lists->of_owner[asked.owner], asked, nullptr);
      });
  if (graphs_fit)
    for (const auto graphs = make_graphs(corpus);
         const auto ef : {10UL, 16UL, 32UL, 64UL, 128UL, 256UL})
      add(std::format("a graph for each user, ef {}", ef),
          [graphs, ef](const search_corpus::question& asked) {
            graphs->of_owner[asked.owner]->setEf(ef);
            return numbers(*graphs->of_owner[asked.owner], asked, nullptr);
          });
  if (corpus.size() <= most_in_one_graph && corpus.owners() > 1)
    for (const auto all = make_one_graph(corpus); const auto ef : {32UL, 128UL, 512UL})
      add(std::format("one graph with a filter, ef {}", ef),
          [all, ef, owners = corpus.owners()](const search_corpus::question& asked) {
            auto filter = of_owner{asked.owner, owners};
            all->of_owner.front()->setEf(ef);
            return numbers(*all->of_owner.front(), asked, &filter);
          });
  return ways;
}

} // namespace

result<search_contender>
open_hnswlib(const search_corpus& corpus,
             std::span<const search_corpus::question> questions) {
  return choose_way(ways_of(corpus), questions);
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
