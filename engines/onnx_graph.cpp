#include "engines/onnx_graph.hpp"

#include <bit>

namespace jessica::engines {
namespace {

// Weights are written as they lie in memory, and ONNX wants the low byte first.
static_assert(std::endian::native == std::endian::little);

// Numbers of the fields in onnx.proto3.
namespace model_field {
constexpr auto ir_version = 1U, producer = 2U, graph = 7U, operators = 8U,
               metadata = 14U;
}
namespace graph_field {
constexpr auto node = 1U, name = 2U, weight = 5U, input = 11U, output = 12U;
}
namespace node_field {
constexpr auto input = 1U, output = 2U, name = 3U, operation = 4U, attribute = 5U,
               domain = 7U;
}
namespace attribute_field {
constexpr auto name = 1U, real = 2U, number = 3U, numbers = 8U, type = 20U;
}
namespace tensor_field {
constexpr auto dims = 1U, element = 2U, name = 8U, raw = 9U;
}

constexpr auto ir_version = 8;
constexpr auto operator_version = 18;

[[nodiscard]] protobuf_writer pair(std::string_view first, std::string_view second) {
  auto made = protobuf_writer{};
  made.bytes(1, first);
  made.bytes(2, second);
  return made;
}

[[nodiscard]] protobuf_writer operators(std::string_view domain, std::int64_t version) {
  auto made = protobuf_writer{};
  made.bytes(1, domain);
  made.number(2, version);
  return made;
}

[[nodiscard]] protobuf_writer value_info(std::string_view name, onnx_element element,
                                         const onnx_open_dims& dims) {
  auto shape = protobuf_writer{};
  for (const auto& one : dims) {
    auto dim = protobuf_writer{};
    if (const auto* const fixed = std::get_if<std::int64_t>(&one))
      dim.number(1, *fixed);
    else
      dim.bytes(2, std::get<std::string>(one));
    shape.message(1, dim);
  }
  auto tensor = protobuf_writer{};
  tensor.number(1, static_cast<std::int64_t>(element));
  tensor.message(2, shape);
  auto type = protobuf_writer{};
  type.message(1, tensor);
  auto made = protobuf_writer{};
  made.bytes(1, name);
  made.message(2, type);
  return made;
}

[[nodiscard]] protobuf_writer attribute_of(const onnx_attribute& from) {
  constexpr auto real = 1;
  constexpr auto number = 2;
  constexpr auto numbers = 7;
  auto made = protobuf_writer{};
  made.bytes(attribute_field::name, from.name);
  auto type = numbers;
  if (const auto* const one = std::get_if<float>(&from.value)) {
    made.real(attribute_field::real, *one);
    type = real;
  } else if (const auto* const whole = std::get_if<std::int64_t>(&from.value)) {
    made.number(attribute_field::number, *whole);
    type = number;
  } else
    for (const auto each : std::get<std::vector<std::int64_t>>(from.value))
      made.number(attribute_field::numbers, each);
  made.number(attribute_field::type, type);
  return made;
}

template <class Number>
[[nodiscard]] std::string_view raw_of(std::span<const Number> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

} // namespace

void onnx_graph::input(const std::string& name, onnx_element element,
                       const onnx_open_dims& dims) {
  inputs_.message(graph_field::input, value_info(name, element, dims));
}

void onnx_graph::output(const std::string& name, onnx_element element,
                        const onnx_open_dims& dims) {
  outputs_.message(graph_field::output, value_info(name, element, dims));
}

void onnx_graph::node(const onnx_node& what) {
  auto made = protobuf_writer{};
  for (const auto& one : what.inputs)
    made.bytes(node_field::input, one);
  for (const auto& one : what.outputs)
    made.bytes(node_field::output, one);
  made.bytes(node_field::name, what.operation + std::to_string(nodes_written_++));
  made.bytes(node_field::operation, what.operation);
  for (const auto& one : what.attributes)
    made.message(node_field::attribute, attribute_of(one));
  if (!what.domain.empty())
    made.bytes(node_field::domain, what.domain);
  nodes_.message(graph_field::node, made);
}

void onnx_graph::tensor(const std::string& name, onnx_element element,
                        const onnx_dims& dims, std::string_view raw) {
  auto made = protobuf_writer{};
  for (const auto one : dims)
    made.number(tensor_field::dims, one);
  made.number(tensor_field::element, static_cast<std::int64_t>(element));
  made.bytes(tensor_field::name, name);
  made.bytes(tensor_field::raw, raw);
  weights_.message(graph_field::weight, made);
}

void onnx_graph::floats(const std::string& name, const onnx_dims& dims,
                        std::span<const float> values) {
  tensor(name, onnx_element::float32, dims, raw_of(values));
}

void onnx_graph::ints(const std::string& name, const onnx_dims& dims,
                      std::span<const std::int64_t> values) {
  tensor(name, onnx_element::int64, dims, raw_of(values));
}

void onnx_graph::small_ints(const std::string& name, const onnx_dims& dims,
                            std::span<const std::int8_t> values) {
  tensor(name, onnx_element::int8, dims, raw_of(values));
}

std::string onnx_graph::file(
    const std::string& name, bool contributed,
    const std::vector<std::pair<std::string, std::string>>& metadata) const {
  auto named = protobuf_writer{};
  named.bytes(graph_field::name, name);
  auto made = protobuf_writer{};
  made.number(model_field::ir_version, ir_version);
  made.bytes(model_field::producer, "jessica");
  made.bytes(model_field::graph, nodes_.written() + named.written() +
                                     weights_.written() + inputs_.written() +
                                     outputs_.written());
  made.message(model_field::operators, operators("", operator_version));
  if (contributed)
    made.message(model_field::operators, operators("com.microsoft", 1));
  for (const auto& [key, value] : metadata)
    made.message(model_field::metadata, pair(key, value));
  return std::move(made).written();
}

} // namespace jessica::engines
