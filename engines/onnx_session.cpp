#include "engines/onnx_session.hpp"

#include "engines/schema_noise.hpp"

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <format>
#include <span>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto with_text_vector = std::size_t{2}; // rank
constexpr auto with_token_vectors = std::size_t{3};

/// What an input wants to be fed.
enum class feed : std::uint8_t { ids, mask, zeros };

struct input {
  std::string name;
  feed what = feed::ids;
  bool narrow = false; ///< int32
};

struct output {
  std::string name;
  bool floats = false;
  std::vector<std::int64_t> shape;
};

[[nodiscard]] result<input> understand(std::string name, const Ort::TypeInfo& type) {
  constexpr auto known = std::array<std::pair<std::string_view, feed>, 3>{
      {{"input_ids", feed::ids},
       {"attention_mask", feed::mask},
       {"token_type_ids", feed::zeros}}};
  const auto* const found =
      std::ranges::find(known, name, &std::pair<std::string_view, feed>::first);
  if (found == known.end())
    return fail(errc::invalid_input,
                "its input " + name +
                    " is none of input_ids, attention_mask, token_type_ids");
  const auto element = type.GetONNXType() == ONNX_TYPE_TENSOR
                           ? type.GetTensorTypeAndShapeInfo().GetElementType()
                           : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 &&
      element != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32)
    return fail(errc::invalid_input,
                "its input " + name + " is neither of int64 nor of int32");
  return input{std::move(name), found->second,
               element == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32};
}

[[nodiscard]] output describe(std::string name, const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR)
    return {std::move(name), false, {}};
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  return {std::move(name),
          tensor.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
          tensor.GetShape()};
}

[[nodiscard]] result<output> choose(const std::vector<output>& all,
                                    std::string_view wanted) {
  const auto named = [&](std::string_view name) {
    return std::ranges::find(all, name, &output::name);
  };
  auto found = all.end();
  if (!wanted.empty())
    found = named(wanted);
  else
    for (const auto* const name :
         {"sentence_embedding", "last_hidden_state", "token_embeddings"})
      if (found == all.end())
        found = named(name);
  if (wanted.empty() && found == all.end())
    found = std::ranges::find_if(all, &output::floats);
  if (found == all.end())
    return fail(errc::invalid_input, wanted.empty()
                                         ? std::string{"it has no output of floats"}
                                         : std::format("it has no output {}", wanted));
  const auto rank = found->shape.size();
  if (!found->floats || (rank != with_text_vector && rank != with_token_vectors))
    return fail(
        errc::invalid_input,
        std::format("its output {} is no float tensor of rank 2 or 3", found->name));
  return *found;
}

[[nodiscard]] Ort::SessionOptions options_of(std::size_t threads) {
  auto made = Ort::SessionOptions{};
  made.SetIntraOpNumThreads(static_cast<int>(threads));
  made.SetInterOpNumThreads(1);
  made.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  made.AddConfigEntry("session.intra_op.allow_spinning", "0"); // others need the core
  return made;
}

/// A batch's numbers as the inputs want them; tensors point into it.
class fed {
public:
  explicit fed(const token_batch& batch)
      : batch_{batch},
        shape_{static_cast<std::int64_t>(batch.rows),
               static_cast<std::int64_t>(batch.columns)} {}

  [[nodiscard]] Ort::Value tensor(const input& of) {
    if (of.what == feed::zeros && zeros_.empty())
      zeros_.resize(batch_.ids.size());
    const auto& wide = of.what == feed::ids    ? batch_.ids
                       : of.what == feed::mask ? batch_.mask
                                               : zeros_;
    if (!of.narrow) // onnxruntime does not write to its inputs
      return Ort::Value::CreateTensor<std::int64_t>(
          memory_, const_cast<std::int64_t*>(wide.data()), wide.size(), shape_.data(),
          shape_.size());
    auto& narrow = narrow_.emplace_back(wide.size());
    std::ranges::transform(wide, narrow.begin(), [](std::int64_t id) {
      return static_cast<std::int32_t>(id);
    });
    return Ort::Value::CreateTensor<std::int32_t>(memory_, narrow.data(), narrow.size(),
                                                  shape_.data(), shape_.size());
  }

private:
  const token_batch& batch_;
  std::array<std::int64_t, 2> shape_;
  std::vector<std::int64_t> zeros_;
  std::vector<std::vector<std::int32_t>> narrow_;
  Ort::MemoryInfo memory_ =
      Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
};

} // namespace

struct onnx_session::parts {
  // All of a process are one. What goes wrong is returned, not logged.
  Ort::Env env{ORT_LOGGING_LEVEL_FATAL, "jessica"};
  Ort::Session session{nullptr};
  std::vector<input> inputs;
  session_shape shape;

  [[nodiscard]] result<void> understand_model(std::string_view wanted) {
    auto names = Ort::AllocatorWithDefaultOptions{};
    for (auto i = std::size_t{0}; i < session.GetInputCount(); ++i) {
      auto one = understand(session.GetInputNameAllocated(i, names).get(),
                            session.GetInputTypeInfo(i));
      if (!one)
        return std::unexpected{std::move(one.error())};
      shape.inputs.push_back(one->name + (one->narrow ? " int32" : " int64"));
      inputs.push_back(std::move(*one));
    }
    if (std::ranges::none_of(inputs,
                             [](const input& one) { return one.what == feed::ids; }))
      return fail(errc::invalid_input, "it has no input input_ids");
    auto outputs = std::vector<output>{};
    for (auto i = std::size_t{0}; i < session.GetOutputCount(); ++i)
      outputs.push_back(describe(session.GetOutputNameAllocated(i, names).get(),
                                 session.GetOutputTypeInfo(i)));
    const auto chosen = choose(outputs, wanted);
    if (!chosen)
      return std::unexpected{chosen.error()};
    shape.output = chosen->name;
    shape.rank = chosen->shape.size();
    shape.width = static_cast<std::size_t>(
        std::max(chosen->shape.back(), std::int64_t{0})); // negative: any
    return {};
  }

  [[nodiscard]] result<std::vector<std::vector<float>>> run(const token_batch& batch,
                                                            pooling how) {
    auto feeding = fed{batch};
    auto names = std::vector<const char*>{};
    auto values = std::vector<Ort::Value>{};
    for (const auto& one : inputs) {
      names.push_back(one.name.c_str());
      values.push_back(feeding.tensor(one));
    }
    const auto* const wanted = shape.output.c_str();
    const auto made = session.Run(Ort::RunOptions{nullptr}, names.data(), values.data(),
                                  values.size(), &wanted, 1);
    const auto found = made.front().GetTensorTypeAndShapeInfo().GetShape();
    const auto rows = static_cast<std::int64_t>(batch.rows);
    const auto columns = static_cast<std::int64_t>(batch.columns);
    if (found.size() != shape.rank || found[0] != rows ||
        (shape.rank == with_token_vectors && found[1] != columns))
      return fail(errc::internal,
                  "its output " + shape.output + " has another shape than its input");
    const auto width = static_cast<std::size_t>(found.back());
    const auto count =
        batch.rows * width * (shape.rank == with_token_vectors ? batch.columns : 1);
    return pool({made.front().GetTensorData<float>(), count}, batch, width, how);
  }
};

onnx_session::onnx_session(std::unique_ptr<parts> made) : parts_{std::move(made)} {}
onnx_session::onnx_session(onnx_session&&) noexcept = default;
onnx_session& onnx_session::operator=(onnx_session&&) noexcept = default;
onnx_session::~onnx_session() = default;

result<onnx_session> onnx_session::open(const std::filesystem::path& file,
                                        std::string_view output, std::size_t threads) {
  try {
    auto made = std::make_unique<parts>();
    {
      const auto quiet = schema_noise_guard{};
      made->session = Ort::Session{made->env, file.c_str(), options_of(threads)};
    }
    if (const auto understood = made->understand_model(output); !understood)
      return fail(errc::invalid_input, file.string() + ": " + understood.error().what);
    return onnx_session{std::move(made)};
  } catch (const Ort::Exception& why) {
    return fail(errc::invalid_input, file.string() + " cannot be run: " + why.what());
  }
}

const session_shape& onnx_session::shape() const noexcept {
  return parts_->shape;
}

result<std::vector<std::vector<float>>> onnx_session::run(const token_batch& batch,
                                                          pooling how) const {
  try {
    return parts_->run(batch, how);
  } catch (const Ort::Exception& why) {
    return fail(errc::internal, std::string{"the model cannot be run: "} + why.what());
  }
}

} // namespace jessica::engines
