// Model directories made for one test: tiny networks whose vectors can be told in
// advance.
#pragma once

#include "engines/onnx_graph.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace jessica::test {

/// Gone with the object.
class model_folder {
public:
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path; }

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream{path() / name, std::ios::binary} << content;
  }

private:
  temp_folder folder_{"model"};
};

/// 0 [PAD], 1 [UNK], 2 [CLS], 3 [SEP], 4 one, 5 two, 6 three, 7 four
constexpr auto small_vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\none\ntwo\nthree\nfour\n";

struct small_network {
  std::vector<std::vector<float>> table; ///< a token's vector, by its id
  engines::onnx_element ids = engines::onnx_element::int64;
  bool mask = true;
  bool types = false; ///< token_type_ids: another one than 0 would add 100
  std::string output = "last_hidden_state";
};

/// Looks each token up in the table, nothing else.
[[nodiscard]] inline std::string file_of(const small_network& what) {
  using engines::onnx_element;
  auto graph = engines::onnx_graph{};
  const auto width = static_cast<std::int64_t>(what.table.front().size());
  const auto rows = static_cast<std::int64_t>(what.table.size());
  auto flat = std::vector<float>{};
  for (const auto& row : what.table)
    flat.insert(flat.end(), row.begin(), row.end());
  graph.floats("table", {rows, width}, flat);
  graph.input("input_ids", what.ids, {"batch", "sequence"});
  if (what.mask)
    graph.input("attention_mask", what.ids, {"batch", "sequence"});
  if (what.types) {
    graph.input("token_type_ids", what.ids, {"batch", "sequence"});
    auto types = std::vector<float>(static_cast<std::size_t>(2 * width), 0.0F);
    std::fill(types.begin() + width, types.end(), 100.0F);
    graph.floats("types", {2, width}, types);
    graph.node({"Gather", {"table", "input_ids"}, {"words"}, {}, {}});
    graph.node({"Gather", {"types", "token_type_ids"}, {"kinds"}, {}, {}});
    graph.node({"Add", {"words", "kinds"}, {what.output}, {}, {}});
  } else
    graph.node({"Gather", {"table", "input_ids"}, {what.output}, {}, {}});
  graph.output(what.output, onnx_element::float32, {"batch", "sequence", width});
  return graph.file("small", false, {});
}

/// Token i of the small vocabulary looks in direction i.
[[nodiscard]] inline small_network one_hot() {
  auto made = small_network{};
  constexpr auto tokens = std::size_t{8};
  for (auto i = std::size_t{0}; i < tokens; ++i) {
    made.table.emplace_back(tokens, 0.0F);
    made.table.back()[i] = 1;
  }
  return made;
}

} // namespace jessica::test
