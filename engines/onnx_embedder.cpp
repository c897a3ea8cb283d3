#include "engines/onnx_embedder.hpp"

#include "engines/model_directory.hpp"
#include "engines/onnx_session.hpp"
#include "engines/split_text.hpp"
#include "engines/unit_vector.hpp"

#include <algorithm>
#include <atomic>
#include <format>
#include <optional>
#include <span>
#include <utility>

namespace jessica::engines {
namespace {

[[nodiscard]] std::size_t dimensions_of(const model_description& model,
                                        std::size_t width) {
  return model.truncate_dimensions == 0 ? width : model.truncate_dimensions;
}

class onnx_embedder final : public embedder {
public:
  onnx_embedder(model_description model, onnx_session session, pooling how,
                std::size_t width)
      : model_{std::move(model)},
        session_{std::move(session)},
        pool_{how},
        width_{width},
        traits_{model_.id, dimensions_of(model_, width), model_.max_tokens,
                model_.match_threshold} {}

  [[nodiscard]] const embedder_traits& traits() const noexcept override {
    return traits_;
  }

  [[nodiscard]] result<std::vector<std::vector<float>>>
  embed(std::span<const std::string> texts, text_purpose purpose) const override {
    auto ids = std::vector<std::vector<token_id>>{};
    ids.reserve(texts.size());
    for (const auto& text : texts)
      ids.push_back(seen(text, purpose));
    auto vectors = std::vector<std::vector<float>>(texts.size());
    for (const auto& chosen : plan_batches(ids, model_.batch)) {
      if (stopped_.load(std::memory_order_relaxed))
        return fail(errc::unavailable, "the embedder was stopped");
      if (auto done = run(ids, chosen, vectors); !done)
        return std::unexpected{std::move(done.error())};
    }
    return vectors;
  }

  void stop() noexcept override { stopped_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] std::vector<text_chunk> split(std::string_view text) const override {
    const auto count = [this](std::string_view part) { return encode(part).size(); };
    const auto around =
        special_count() + model_.tokens.encoder->encode(model_.document_prefix).size();
    const auto most = model_.max_tokens > around ? model_.max_tokens - around : 1;
    if (!model_.truncate_long)
      return split_text(text, {most, std::min(model_.overlap_tokens, most / 2), count});
    if (count(text) == 0)
      return {};
    return {{0, text.size()}};
  }

  [[nodiscard]] std::size_t count_tokens(std::string_view text) const override {
    return encode(text).size() + special_count();
  }

  /// A text of the highest token alone, as long as any may be.
  [[nodiscard]] result<void> probe() const {
    const auto id = model_.tokens.encoder->highest_id();
    const auto ids = std::vector<std::vector<token_id>>{
        surrounded(std::vector<token_id>(model_.max_tokens, id))};
    const auto chosen = std::vector<std::size_t>{0};
    auto vectors = std::vector<std::vector<float>>(1);
    if (const auto done = run(ids, chosen, vectors); !done)
      return fail(errc::invalid_input,
                  std::format("{} does not take {} tokens of id {}, as its tokenizer "
                              "and max_tokens would have it: {}",
                              model_.onnx.string(), model_.max_tokens, id,
                              done.error().what));
    return {};
  }

private:
  [[nodiscard]] std::size_t special_count() const {
    return model_.tokens.before.size() + model_.tokens.after.size();
  }

  [[nodiscard]] std::vector<token_id> encode(std::string_view text) const {
    return model_.tokens.encoder->encode(clean_text(text, model_.clean));
  }

  /// The tokens that the model is shown.
  [[nodiscard]] std::vector<token_id> seen(std::string_view text,
                                           text_purpose purpose) const {
    const auto& prefix =
        purpose == text_purpose::query ? model_.query_prefix : model_.document_prefix;
    return surrounded(
        model_.tokens.encoder->encode(prefix + clean_text(text, model_.clean)));
  }

  /// With the special tokens, and not longer than the model takes.
  [[nodiscard]] std::vector<token_id> surrounded(std::vector<token_id> text) const {
    const auto& [encoder, kind, before, after, padding, limit] = model_.tokens;
    text.resize(std::min(text.size(), model_.max_tokens - special_count()));
    text.insert(text.begin(), before.begin(), before.end());
    text.insert(text.end(), after.begin(), after.end());
    return text;
  }

  [[nodiscard]] result<void> run(std::span<const std::vector<token_id>> ids,
                                 std::span<const std::size_t> chosen,
                                 std::vector<std::vector<float>>& into) const {
    auto made = session_.run(padded(ids, chosen, model_.tokens.padding), pool_);
    if (!made)
      return std::unexpected{std::move(made.error())};
    for (auto row = std::size_t{0}; row < chosen.size(); ++row) {
      auto& vector = (*made)[row];
      if (vector.size() != width_)
        return fail(errc::internal,
                    std::format("the model's vector has {} numbers instead of {}",
                                vector.size(), width_));
      vector.resize(traits_.dimensions);
      if (!make_unit(vector))
        return fail(errc::internal, "the model's vector has no direction");
      into[chosen[row]] = std::move(vector);
    }
    return {};
  }

  model_description model_;
  onnx_session session_;
  pooling pool_;
  std::size_t width_; ///< of the model's vectors, before they are shortened
  embedder_traits traits_;
  std::atomic<bool> stopped_ = false;
};

struct opened {
  model_description model;
  onnx_session session;
  pooling how;
  std::size_t width;
};

[[nodiscard]] std::unexpected<error> refuse(const model_description& model,
                                            std::string_view why) {
  return fail(errc::invalid_input, std::format("{}: {}", model.onnx.string(), why));
}

[[nodiscard]] result<pooling> pooling_of(const model_description& model,
                                         const session_shape& shape) {
  constexpr auto one_a_text = std::size_t{2}; // rank
  if (shape.rank != one_a_text && model.pool == pooling::none)
    return refuse(model, "pooling is none, but the output " + shape.output +
                             " has a vector for each token");
  if (shape.rank == one_a_text)
    return pooling::none;
  return model.pool.value_or(pooling::mean);
}

[[nodiscard]] result<std::size_t> width_of(const model_description& model,
                                           const session_shape& shape) {
  const auto width = shape.width == 0 ? model.dimensions.value_or(0) : shape.width;
  if (width == 0)
    return refuse(model, "the width of its output is not known: embedder.json must say "
                         "dimensions");
  if (model.dimensions && *model.dimensions != width)
    return refuse(model, std::format("its output is {} wide, but dimensions "
                                     "(embedder.json) or hidden_size (config.json) is "
                                     "{}",
                                     width, *model.dimensions));
  if (model.truncate_dimensions > width)
    return refuse(model, std::format("its output is {} wide, less than "
                                     "truncate_dimensions of embedder.json",
                                     width));
  return width;
}

[[nodiscard]] result<opened> open(const onnx_options& how) {
  auto model = read_model_directory(how.directory, how.quantized);
  if (!model)
    return std::unexpected{std::move(model.error())};
  if (how.threads != 0)
    model->threads = how.threads;
  if (how.match_threshold > 0)
    model->match_threshold = how.match_threshold;
  auto session = onnx_session::open(model->onnx, model->output, model->threads);
  if (!session)
    return std::unexpected{std::move(session.error())};
  const auto pool = pooling_of(*model, session->shape());
  if (!pool)
    return std::unexpected{pool.error()};
  const auto width = width_of(*model, session->shape());
  if (!width)
    return std::unexpected{width.error()};
  return opened{std::move(*model), std::move(*session), *pool, *width};
}

[[nodiscard]] std::string joined(const std::vector<std::string>& words) {
  auto text = std::string{};
  for (const auto& one : words)
    text.append(text.empty() ? "" : ", ").append(one);
  return text;
}

[[nodiscard]] std::string quoted_or_none(const std::string& text) {
  return text.empty() ? "none" : '"' + text + '"';
}

[[nodiscard]] std::vector<model_fact> facts_of(const opened& of) {
  const auto& model = of.model;
  const auto& shape = of.session.shape();
  return {
      {"id", model.id},
      {"file", model.onnx.string()},
      {"weights", model.quantized ? "int8" : "float"},
      {"inputs", joined(shape.inputs)},
      {"output",
       std::format("{}, {}", shape.output,
                   of.how == pooling::none ? std::string{"one vector a text"}
                                           : std::format("pooling {}", name(of.how)))},
      {"dimensions", std::to_string(dimensions_of(model, of.width))},
      {"tokenizer", std::format("{}, {} ids", model.tokens.kind,
                                model.tokens.encoder->highest_id() + 1)},
      {"around a text",
       std::format("{} tokens before, {} behind", model.tokens.before.size(),
                   model.tokens.after.size())},
      {"max tokens", std::to_string(model.max_tokens)},
      {"long texts", model.truncate_long ? std::string{"truncated"}
                                         : std::format("in pieces, {} tokens overlap",
                                                       model.overlap_tokens)},
      {"query prefix", quoted_or_none(model.query_prefix)},
      {"document prefix", quoted_or_none(model.document_prefix)},
      {"cleaning", std::format("{}{}", model.clean.whitespace ? "white space" : "none",
                               model.clean.lower_if_all_caps ? ", capitals" : "")},
      {"batches",
       std::format("{} texts, {} tokens", model.batch.texts, model.batch.tokens)},
      {"threads", std::to_string(model.threads)},
      {"match threshold", model.match_threshold > 0
                              ? std::format("{:.2f}", model.match_threshold)
                              : "none"},
  };
}

[[nodiscard]] result<std::shared_ptr<onnx_embedder>> tried_out(opened parts) {
  auto made = std::make_shared<onnx_embedder>(
      std::move(parts.model), std::move(parts.session), parts.how, parts.width);
  if (const auto good = made->probe(); !good)
    return std::unexpected{good.error()};
  return made;
}

} // namespace

result<std::shared_ptr<embedder>> open_onnx_embedder(const onnx_options& how) {
  return open(how).and_then(tried_out);
}

result<std::vector<model_fact>> describe_model(const onnx_options& how) {
  return open(how).and_then([](opened parts) {
    auto facts = facts_of(parts);
    return tried_out(std::move(parts)).transform([&](const auto&) {
      return std::move(facts);
    });
  });
}

} // namespace jessica::engines
