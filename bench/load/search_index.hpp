// Our index in the search scenario: filled, searched, written and opened.
#pragma once

#include "bench/load/report.hpp"
#include "bench/load/search_contender.hpp"
#include "index/vector_index.hpp"

#include <filesystem>
#include <memory>

namespace jessica::bench {

class search_index {
public:
  /// Adds the whole corpus, then links what is to be linked.
  [[nodiscard]] static result<search_index> fill(const search_corpus& corpus,
                                                 index::vector_form form);

  [[nodiscard]] std::size_t vectors() const noexcept { return vectors_; }
  [[nodiscard]] search_contender contender() const;
  /// Memory of a vector, and how quickly they came in.
  void report(round& to) const;
  /// Writes a snapshot, opens it and asks it the questions; opens it again and asks for
  /// each user once, so that all of it is read and checked.
  [[nodiscard]] result<void>
  report_file(const std::filesystem::path& file,
              std::span<const search_corpus::question> questions, round& to) const;

private:
  search_index(std::shared_ptr<index::vector_index> index,
               index::index_options options);
  [[nodiscard]] result<void> search_everybody(index::vector_index& among) const;
  [[nodiscard]] result<void> report_whole(const std::filesystem::path& file,
                                          round& to) const;

  std::string name_;
  std::shared_ptr<index::vector_index> index_;
  index::index_options options_;
  std::size_t vectors_ = 0;
  std::size_t owners_ = 0;
  double add_seconds_ = 0;
  double link_seconds_ = 0;
};

} // namespace jessica::bench
