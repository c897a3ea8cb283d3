#include "engines/tokenizer_files.hpp"

#include "engines/token_names.hpp"
#include "engines/tokenizer_steps.hpp"
#include "engines/unigram_file.hpp"
#include "engines/wordpiece_file.hpp"

#include <system_error>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;
using fields = json_fields;

class reader {
public:
  reader(const std::filesystem::path& directory, fields& overrides, fields file,
         fields config, fields specials)
      : directory_{directory},
        overrides_{overrides},
        file_{std::move(file)},
        config_{std::move(config)},
        specials_{std::move(specials)} {}

  [[nodiscard]] result<tokenizer_parts> read() {
    auto made = tokenizer_parts{};
    made.kind = kind();
    names_.add_added_tokens(file_);
    if (made.kind == "unigram")
      made.encoder = read_unigram(file_, overrides_, names_.special());
    else if (made.kind == "wordpiece")
      made.encoder = read_wordpiece(directory_, {file_, overrides_, config_},
                                    name_of("unk", "[UNK]"), names_);
    if (made.encoder) {
      read_template(made);
      made.padding = padding();
      made.max_tokens = file_.count("truncation.max_length");
    }
    for (const auto* const one : {&overrides_, &file_, &config_, &specials_})
      if (const auto good = one->verdict(); !good)
        return std::unexpected{good.error()};
    if (!made.encoder)
      return fail(errc::invalid_input,
                  directory_.string() + " has neither a tokenizer.json nor a vocab.txt "
                                        "that can be used");
    return made;
  }

private:
  [[nodiscard]] std::string kind() {
    if (const auto given = overrides_.text("tokenizer.kind")) {
      if (*given != "unigram" && *given != "wordpiece")
        overrides_.mistake("tokenizer.kind", "must be unigram or wordpiece");
      return *given;
    }
    if (!file_.exists())
      return has_vocabulary_file() ? "wordpiece" : "";
    const auto type = file_.text("model.type").value_or("");
    if (type == "Unigram")
      return "unigram";
    if (type == "WordPiece")
      return "wordpiece";
    file_.mistake("model.type", "is " + (type.empty() ? "missing" : type) +
                                    ": only Unigram and WordPiece are understood");
    return "";
  }

  [[nodiscard]] bool has_vocabulary_file() const {
    auto failed = std::error_code{};
    return std::filesystem::is_regular_file(directory_ / "vocab.txt", failed);
  }

  /// Of "unk", "cls", "sep" or "pad".
  [[nodiscard]] std::string name_of(const std::string& role,
                                    const std::string& otherwise) {
    if (const auto given = overrides_.text("tokenizer." + role))
      return *given;
    const auto field = role + "_token";
    const auto* const value = specials_.at(field);
    if (value != nullptr && value->is_object())
      return text_of(value->get_object(), "content");
    return specials_.text(field).value_or(otherwise);
  }

  [[nodiscard]] std::vector<token_id> id_of(const std::string& role,
                                            const std::string& otherwise) {
    const auto token = name_of(role, otherwise);
    if (const auto id = names_.find(token))
      return {*id};
    file_.mistake("model.vocab", "has no token " + token);
    return {};
  }

  [[nodiscard]] token_id padding() {
    if (const auto id = file_.count("padding.pad_id");
        id && overrides_.at("tokenizer.pad") == nullptr)
      return static_cast<token_id>(*id);
    const auto token = name_of("pad", "");
    for (const auto& one : {token, std::string{"[PAD]"}, std::string{"<pad>"}})
      if (const auto id = names_.find(one))
        return *id;
    return 0;
  }

  void read_template(tokenizer_parts& to) {
    const auto before = overrides_.ids("tokenizer.template.before");
    const auto after = overrides_.ids("tokenizer.template.after");
    if (before || after) {
      to.before = before.value_or(std::vector<token_id>{});
      to.after = after.value_or(std::vector<token_id>{});
    } else if (file_.at("post_processor") != nullptr) {
      auto around = names_.template_of(file_);
      to.before = std::move(around.before);
      to.after = std::move(around.after);
    } else if (to.kind == "wordpiece") {
      to.before = id_of("cls", "[CLS]");
      to.after = id_of("sep", "[SEP]");
    }
  }

  const std::filesystem::path& directory_;
  fields& overrides_;
  fields file_;
  fields config_;
  fields specials_;
  token_names names_;
};

} // namespace

result<tokenizer_parts> read_tokenizer(const std::filesystem::path& directory,
                                       json_fields& overrides) {
  auto file = json_fields::read(directory / "tokenizer.json");
  auto config = json_fields::read(directory / "tokenizer_config.json");
  auto specials = json_fields::read(directory / "special_tokens_map.json");
  for (const auto* const one : {&file, &config, &specials})
    if (!*one)
      return std::unexpected{one->error()};
  return reader{directory, overrides, std::move(*file), std::move(*config),
                std::move(*specials)}
      .read();
}

} // namespace jessica::engines
