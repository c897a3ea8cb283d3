#include "engines/piece_trie.hpp"

#include <algorithm>
#include <iterator>

namespace jessica::engines {
namespace {

using piece = std::pair<std::string, token_id>;

/// Pieces [begin, end) share the bytes on the way to the node.
struct unfinished {
  std::size_t node;
  std::size_t begin;
  std::size_t end;
  std::size_t depth;
};

[[nodiscard]] std::vector<piece> in_order(std::vector<piece> pieces) {
  std::ranges::stable_sort(pieces, {}, &piece::first);
  auto last_of_each = std::vector<piece>{};
  last_of_each.reserve(pieces.size());
  for (auto& one : pieces) {
    if (!last_of_each.empty() && last_of_each.back().first == one.first)
      last_of_each.pop_back();
    if (!one.first.empty())
      last_of_each.push_back(std::move(one));
  }
  return last_of_each;
}

} // namespace

piece_trie::piece_trie(std::vector<piece> given) {
  const auto pieces = in_order(std::move(given));
  nodes_.emplace_back();
  auto work = std::vector<unfinished>{{0, 0, pieces.size(), 0}};
  for (auto next = std::size_t{0}; next < work.size(); ++next) {
    auto [at, begin, end, depth] = work[next];
    if (begin < end && pieces[begin].first.size() == depth)
      nodes_[at].id = pieces[begin++].second;
    nodes_[at].first_child = static_cast<std::uint32_t>(nodes_.size());
    while (begin < end) {
      const auto byte = pieces[begin].first[depth];
      auto last = begin;
      while (last < end && pieces[last].first[depth] == byte)
        ++last;
      ++nodes_[at].children;
      work.push_back({nodes_.size(), begin, last, depth + 1});
      nodes_.emplace_back().byte = static_cast<unsigned char>(byte);
      begin = last;
    }
  }
}

const piece_trie::node* piece_trie::child(const node& of, unsigned char byte) const {
  const auto* const first = nodes_.data() + of.first_child;
  const auto* const last = first + of.children;
  const auto* const found =
      std::ranges::lower_bound(first, last, byte, {}, &node::byte);
  return found == last || found->byte != byte ? nullptr : found;
}

} // namespace jessica::engines
