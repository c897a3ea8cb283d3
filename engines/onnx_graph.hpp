// Builds an ONNX file: nodes, weights, inputs, outputs.
#pragma once

#include "engines/protobuf_writer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace jessica::engines {

/// As the ONNX format numbers them.
enum class onnx_element : std::uint8_t { float32 = 1, int8 = 3, int32 = 6, int64 = 7 };

/// Of a weight: numbers. Of an input or output: numbers or names.
using onnx_dims = std::vector<std::int64_t>;
using onnx_open_dims = std::vector<std::variant<std::int64_t, std::string>>;

struct onnx_attribute {
  std::string name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>> value;
};

struct onnx_node {
  std::string operation;
  std::vector<std::string> inputs; ///< "": left out
  std::vector<std::string> outputs;
  std::vector<onnx_attribute> attributes;
  std::string domain; ///< empty: ONNX's own operators
};

/// The same calls give the same bytes.
class onnx_graph {
public:
  void input(const std::string& name, onnx_element element, const onnx_open_dims& dims);
  void output(const std::string& name, onnx_element element,
              const onnx_open_dims& dims);
  void node(const onnx_node& what); ///< in the order in which they run

  void floats(const std::string& name, const onnx_dims& dims,
              std::span<const float> values);
  void ints(const std::string& name, const onnx_dims& dims,
            std::span<const std::int64_t> values);
  void small_ints(const std::string& name, const onnx_dims& dims,
                  std::span<const std::int8_t> values);

  /// The whole file. `contributed`: with onnxruntime's own operators.
  [[nodiscard]] std::string
  file(const std::string& name, bool contributed,
       const std::vector<std::pair<std::string, std::string>>& metadata) const;

private:
  void tensor(const std::string& name, onnx_element element, const onnx_dims& dims,
              std::string_view raw);

  int nodes_written_ = 0;
  protobuf_writer nodes_;
  protobuf_writer weights_;
  protobuf_writer inputs_;
  protobuf_writer outputs_;
};

} // namespace jessica::engines
