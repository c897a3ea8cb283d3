#include "engines/model_directory.hpp"

#include "engines/file_digest.hpp"
#include "engines/json_fields.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

/// What is written by mistake shall not take all of the machine's memory.
constexpr auto most_tokens = std::size_t{65'536};
constexpr auto most_threads = std::size_t{256};

constexpr auto own_fields = std::array<std::string_view, 32>{
    "name",
    "id",
    "onnx",
    "dimensions",
    "truncate_dimensions",
    "max_tokens",
    "output",
    "pooling",
    "normalize",
    "tokenizer.kind",
    "tokenizer.lowercase",
    "tokenizer.strip_accents",
    "tokenizer.chinese_chars",
    "tokenizer.clean_text",
    "tokenizer.unk",
    "tokenizer.cls",
    "tokenizer.sep",
    "tokenizer.pad",
    "tokenizer.template.before",
    "tokenizer.template.after",
    "tokenizer.max_chars_per_word",
    "tokenizer.normalizer",
    "prefix.query",
    "prefix.document",
    "clean.whitespace",
    "clean.lower_if_all_caps",
    "long_text",
    "chunk_overlap_tokens",
    "batch.max_texts",
    "batch.max_tokens",
    "threads",
    "match_threshold",
};

constexpr auto whole_files = std::array<std::string_view, 3>{
    "model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx"};
constexpr auto quantized_files = std::array<std::string_view, 3>{
    "model_quantized.onnx", "onnx/model_quantized.onnx", "onnx/model_int8.onnx"};

[[nodiscard]] std::optional<fs::path>
first_there(const fs::path& directory, std::span<const std::string_view> of) {
  for (const auto name : of) {
    auto failed = std::error_code{};
    if (fs::is_regular_file(directory / name, failed))
      return directory / name;
  }
  return std::nullopt;
}

class reader {
public:
  reader(const fs::path& directory, bool quantized)
      : directory_{directory}, wants_quantized_{quantized} {}

  [[nodiscard]] result<model_description> read() {
    made_.directory = directory_;
    for (auto step : {&reader::open_files, &reader::find_onnx, &reader::read_tokens,
                      &reader::read_pooling, &reader::read_modules, &reader::read_rest,
                      &reader::judge_files, &reader::read_id})
      if (auto done = (this->*step)(); !done)
        return std::unexpected{std::move(done.error())};
    return std::move(made_);
  }

private:
  /// A file of the folder that may be missing.
  struct source {
    std::string_view name;
    json_fields fields;
  };

  [[nodiscard]] result<void> open_files() {
    auto failed = std::error_code{};
    if (!fs::is_directory(directory_, failed))
      return fail(errc::not_found,
                  "there is no model directory " + directory_.string());
    for (auto* const one :
         {&own_, &config_, &sentence_, &pooling_, &prompts_, &modules_}) {
      auto found = json_fields::read(directory_ / one->name);
      if (!found)
        return std::unexpected{std::move(found.error())};
      one->fields = std::move(*found);
    }
    own_.fields.allow_only(own_fields);
    return {};
  }

  [[nodiscard]] result<void> find_onnx() {
    if (const auto given = own_.fields.text("onnx"); given && !wants_quantized_) {
      made_.onnx = directory_ / *given;
      auto failed = std::error_code{};
      if (!fs::is_regular_file(made_.onnx, failed))
        own_.fields.mistake("onnx", "names no file: " + made_.onnx.string());
      return own_.fields.verdict();
    }
    const auto& names = wants_quantized_ ? quantized_files : whole_files;
    auto found = first_there(directory_, names);
    if (!found)
      return fail(errc::invalid_input,
                  directory_.string() + " has no " + std::string{names.front()});
    made_.onnx = std::move(*found);
    return {};
  }

  [[nodiscard]] result<void> read_tokens() {
    auto tokens = read_tokenizer(directory_, own_.fields);
    if (!tokens)
      return std::unexpected{std::move(tokens.error())};
    made_.tokens = std::move(*tokens);
    made_.max_tokens =
        own_.fields.count("max_tokens")
            .or_else([&] { return sentence_.fields.count("max_seq_length"); })
            .or_else([&] { return made_.tokens.max_tokens; })
            .or_else([&] { return positions(); })
            .value_or(512); // what nearly all encoders were trained with
    return {};
  }

  /// How many tokens the model has positions for.
  [[nodiscard]] std::optional<std::size_t> positions() {
    const auto rows = config_.fields.count("max_position_embeddings");
    const auto type = config_.fields.text("model_type").value_or("");
    const auto numbers_from_two =
        type.contains("roberta") || type == "mpnet" || type == "camembert";
    return rows && numbers_from_two && *rows > 2 ? std::optional{*rows - 2} : rows;
  }

  [[nodiscard]] result<void> read_pooling() {
    if (const auto given = own_.fields.text("pooling")) {
      made_.pool = pooling_named(*given);
      if (!made_.pool)
        own_.fields.mistake("pooling", "must be none, mean, cls, max or last");
      return {};
    }
    constexpr auto modes = std::array<std::pair<std::string_view, pooling>, 4>{
        {{"pooling_mode_mean_tokens", pooling::mean},
         {"pooling_mode_cls_token", pooling::cls},
         {"pooling_mode_max_tokens", pooling::max},
         {"pooling_mode_lasttoken", pooling::last}}};
    const auto* const object = pooling_.fields.root().if_object();
    if (object == nullptr)
      return {};
    for (const auto& [key, value] : *object) {
      if (!key.starts_with("pooling_mode_") || !value.is_bool() || !value.get_bool())
        continue;
      const auto* const known = std::ranges::find(
          modes, std::string_view{key}, &std::pair<std::string_view, pooling>::first);
      if (known == modes.end() || made_.pool)
        pooling_.fields.mistake(key, "is a way or a second way that is not understood");
      else
        made_.pool = known->second;
    }
    return {};
  }

  /// What stands behind the network in the file, pooling and normalising, is done here.
  [[nodiscard]] result<void> read_modules() {
    const auto* const list = modules_.fields.root().if_array();
    if (list == nullptr || own_.fields.at("output") != nullptr)
      return {};
    for (const auto& one : *list) {
      const auto* const object = one.if_object();
      const auto* const type =
          object == nullptr ? nullptr : object->if_contains("type");
      const auto name = type == nullptr || !type->is_string()
                            ? std::string{}
                            : std::string{type->get_string()};
      if (!name.ends_with(".Transformer") && !name.ends_with(".Pooling") &&
          !name.ends_with(".Normalize"))
        modules_.fields.mistake("type", "is " + name + ", which is not understood");
    }
    return {};
  }

  [[nodiscard]] result<void> read_rest() {
    auto& own = own_.fields;
    made_.dimensions = own.count("dimensions");
    if (!made_.dimensions)
      made_.dimensions = config_.fields.count("hidden_size");
    made_.truncate_dimensions = own.count("truncate_dimensions").value_or(0);
    made_.output = own.text("output").value_or("");
    if (!own.toggle("normalize").value_or(true))
      own.mistake("normalize", "cannot be false: all vectors here have length 1");
    auto& prompts = prompts_.fields;
    made_.query_prefix = own.text("prefix.query")
                             .or_else([&] { return prompts.text("prompts.query"); })
                             .value_or("");
    made_.document_prefix =
        own.text("prefix.document")
            .or_else([&] { return prompts.text("prompts.document"); })
            .or_else([&] { return prompts.text("prompts.passage"); })
            .value_or("");
    made_.clean.whitespace = own.toggle("clean.whitespace").value_or(true);
    made_.clean.lower_if_all_caps =
        own.toggle("clean.lower_if_all_caps").value_or(false);
    const auto long_text = own.text("long_text").value_or("chunk");
    if (long_text != "chunk" && long_text != "truncate")
      own.mistake("long_text", "must be chunk or truncate");
    made_.truncate_long = long_text == "truncate";
    made_.overlap_tokens = own.count("chunk_overlap_tokens").value_or(0);
    made_.threads = own.count("threads").value_or(1);
    made_.match_threshold =
        static_cast<float>(own.number("match_threshold").value_or(0));
    return read_batch();
  }

  [[nodiscard]] result<void> read_batch() {
    auto& own = own_.fields;
    const auto usable = [&](std::string_view field, std::size_t otherwise) {
      const auto given = own.count(field).value_or(otherwise);
      if (given == 0)
        own.mistake(field, "must be at least 1");
      return given;
    };
    // Of how many the file decides when it is known whether it is quantized.
    made_.batch.texts = usable("batch.max_texts", batch_limits{}.texts);
    made_.batch.tokens = usable("batch.max_tokens", batch_limits{}.tokens);
    if (made_.threads == 0 || made_.threads > most_threads)
      own.mistake("threads", "must be from 1 to 256");
    const auto around = made_.tokens.before.size() + made_.tokens.after.size();
    if (made_.max_tokens <= around)
      own.mistake("max_tokens", "leaves no room for a text");
    if (made_.max_tokens > most_tokens)
      own.mistake("max_tokens", "must be at most 65536");
    return {};
  }

  [[nodiscard]] result<void> judge_files() {
    for (const auto* const one :
         {&own_, &config_, &sentence_, &pooling_, &prompts_, &modules_})
      if (auto good = one->fields.verdict(); !good)
        return good;
    return {};
  }

  [[nodiscard]] result<void> read_id() {
    constexpr auto shown_digits = std::size_t{12};
    auto digest = digest_file(made_.onnx, "DynamicQuantize"); // in operators' names
    if (!digest)
      return std::unexpected{std::move(digest.error())};
    made_.quantized = digest->has_word;
    if (made_.quantized && own_.fields.at("batch.max_texts") == nullptr)
      made_.batch.texts = 1;
    auto failed = std::error_code{};
    const auto whole = fs::absolute(directory_ / ".", failed).lexically_normal();
    made_.name =
        own_.fields.text("name").value_or(whole.parent_path().filename().string());
    made_.id = own_.fields.text("id").value_or(made_.name + '-' +
                                               digest->sha256.substr(0, shown_digits));
    return {};
  }

  const fs::path& directory_;
  bool wants_quantized_;
  source own_{"embedder.json", {}};
  source config_{"config.json", {}};
  source sentence_{"sentence_bert_config.json", {}};
  source pooling_{"1_Pooling/config.json", {}};
  source prompts_{"config_sentence_transformers.json", {}};
  source modules_{"modules.json", {}};
  model_description made_;
};

} // namespace

result<model_description> read_model_directory(const fs::path& directory,
                                               bool quantized) {
  return reader{directory, quantized}.read();
}

} // namespace jessica::engines
