#include "bench/load/search_texts.hpp"

#include "engines/onnx_embedder.hpp"

#include <format>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

constexpr auto one_asked_of = std::size_t{10};

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  auto lines = std::vector<std::string>{};
  auto from = std::ifstream{file};
  for (auto line = std::string{}; std::getline(from, line);)
    if (!line.empty())
      lines.push_back(std::move(line));
  return lines;
}

} // namespace

result<search_corpus> embedded_corpus(const std::filesystem::path& texts,
                                      const std::filesystem::path& model,
                                      std::size_t owners) {
  const auto lines = lines_of(texts);
  if (lines.size() < one_asked_of * owners)
    return fail(errc::invalid_input,
                std::format("{} has {} lines: too few", texts.string(), lines.size()));
  const auto embedder = engines::open_onnx_embedder({model, false, 1, 0});
  if (!embedder)
    return std::unexpected{embedder.error()};
  const auto made = (*embedder)->embed(lines, engines::text_purpose::document);
  if (!made)
    return std::unexpected{made.error()};
  if (made->front().size() != search_corpus::dimensions)
    return fail(errc::invalid_input, "the model's vectors have another size");
  auto vectors = std::vector<float>{};
  auto asked = std::vector<float>{};
  for (auto n = std::size_t{0}; n < made->size(); ++n) {
    auto& to = n % one_asked_of == 0 ? asked : vectors;
    to.insert(to.end(), (*made)[n].begin(), (*made)[n].end());
  }
  return search_corpus{std::move(vectors), std::move(asked), owners};
}

} // namespace jessica::bench
