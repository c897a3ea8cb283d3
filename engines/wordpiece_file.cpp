#include "engines/wordpiece_file.hpp"

#include "engines/tokenizer_steps.hpp"
#include "engines/wordpiece_tokenizer.hpp"

#include <fstream>
#include <optional>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;

class reader {
public:
  reader(const std::filesystem::path& directory, wordpiece_sources from,
         const std::string& unknown, token_names& names)
      : directory_{directory},
        file_{from.file},
        overrides_{from.overrides},
        config_{from.config},
        unknown_{unknown},
        names_{names} {}

  [[nodiscard]] std::shared_ptr<const tokenizer> read() {
    auto pieces =
        file_.at("model.vocab") != nullptr ? pieces_of_json() : pieces_of_lines();
    if (pieces.empty()) {
      file_.mistake("model.vocab", "is empty, and so is vocab.txt");
      return nullptr;
    }
    for (const auto& [piece, id] : pieces)
      names_.add(piece, id);
    auto how = wordpiece_how();
    if (!pieces.contains(how.unknown)) {
      file_.mistake("model.unk_token", how.unknown + " is not in the vocabulary");
      return nullptr;
    }
    return std::make_shared<wordpiece_tokenizer>(std::move(pieces), std::move(how));
  }

private:
  [[nodiscard]] piece_ids pieces_of_json() {
    auto made = piece_ids{};
    const auto* const object = file_.at("model.vocab")->if_object();
    if (object != nullptr)
      for (const auto& [piece, id] : *object)
        if (id.is_int64() && id.get_int64() >= 0)
          made.emplace(std::string{piece}, id.get_int64());
    if (object == nullptr || made.size() != object->size())
      file_.mistake("model.vocab", "must name an id for each piece");
    return made;
  }

  [[nodiscard]] piece_ids pieces_of_lines() const {
    auto made = piece_ids{};
    auto in = std::ifstream{directory_ / "vocab.txt", std::ios::binary};
    auto line = std::string{};
    for (auto row = token_id{0}; std::getline(in, line); ++row) {
      if (line.ends_with('\r'))
        line.pop_back();
      made.insert_or_assign(line, row);
    }
    return made;
  }

  [[nodiscard]] wordpiece_options wordpiece_how() {
    auto how = wordpiece_options{};
    auto strip = std::optional<bool>{};
    if (file_.exists())
      normalizer_of(how, strip);
    else {
      how.lowercase = config_.toggle("do_lower_case").value_or(true);
      strip = config_.toggle("strip_accents");
      how.chinese_chars = config_.toggle("tokenize_chinese_chars").value_or(true);
    }
    how.lowercase = overrides_.toggle("tokenizer.lowercase").value_or(how.lowercase);
    if (const auto given = overrides_.toggle("tokenizer.strip_accents"))
      strip = given;
    how.strip_accents = strip.value_or(how.lowercase);
    how.chinese_chars =
        overrides_.toggle("tokenizer.chinese_chars").value_or(how.chinese_chars);
    how.clean_text = overrides_.toggle("tokenizer.clean_text").value_or(how.clean_text);
    how.unknown = unknown_;
    if (const auto given = file_.text("model.unk_token"))
      how.unknown = overrides_.text("tokenizer.unk").value_or(*given);
    how.continuing =
        file_.text("model.continuing_subword_prefix").value_or(how.continuing);
    how.max_chars_per_word = overrides_.count("tokenizer.max_chars_per_word")
                                 .value_or(file_.count("model.max_input_chars_per_word")
                                               .value_or(how.max_chars_per_word));
    return how;
  }

  void normalizer_of(wordpiece_options& how, std::optional<bool>& strip) {
    how.lowercase = how.chinese_chars = how.clean_text = false;
    each_step(
        file_.at("normalizer"), "normalizers",
        [&](std::string_view type, const json::object& step) {
          if (type == "BertNormalizer") {
            how.lowercase = toggle_of(step, "lowercase").value_or(true);
            how.clean_text = toggle_of(step, "clean_text").value_or(true);
            how.chinese_chars = toggle_of(step, "handle_chinese_chars").value_or(true);
            strip = toggle_of(step, "strip_accents");
          } else if (type == "Lowercase")
            how.lowercase = true;
          else if (type == "StripAccents")
            strip = true;
          else if (!type.starts_with("NF") && type != "Replace" && type != "Strip")
            not_understood(file_, "normalizer.type", type);
        });
    each_step(file_.at("pre_tokenizer"), "pretokenizers",
              [&](std::string_view type, const json::object&) {
                if (type != "BertPreTokenizer")
                  not_understood(file_, "pre_tokenizer.type", type);
              });
  }

  const std::filesystem::path& directory_;
  json_fields& file_;
  json_fields& overrides_;
  json_fields& config_;
  const std::string& unknown_;
  token_names& names_;
};

} // namespace

std::shared_ptr<const tokenizer> read_wordpiece(const std::filesystem::path& directory,
                                                wordpiece_sources from,
                                                const std::string& unknown,
                                                token_names& names) {
  return reader{directory, from, unknown, names}.read();
}

} // namespace jessica::engines
