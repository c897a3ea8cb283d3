#include "engines/tokenizer_files.hpp"

#include "engines/token_names.hpp"
#include "engines/unigram_tokenizer.hpp"
#include "engines/wordpiece_tokenizer.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;
using fields = json_fields;

[[nodiscard]] std::string text_of(const json::object& in, std::string_view key) {
  const auto* const value = in.if_contains(key);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{*text};
}

[[nodiscard]] std::optional<bool> toggle_of(const json::object& in,
                                            std::string_view key) {
  const auto* const value = in.if_contains(key);
  const auto* const set = value == nullptr ? nullptr : value->if_bool();
  return set == nullptr ? std::nullopt : std::optional{*set};
}

/// Calls `take(type, object)` with a step of tokenizer.json, or with each of a
/// sequence.
template <class Take>
void each_step(const json::value* step, std::string_view members, const Take& take) {
  const auto* const object = step == nullptr ? nullptr : step->if_object();
  if (object == nullptr)
    return;
  const auto* const list = object->if_contains(members);
  if (text_of(*object, "type") != "Sequence" || list == nullptr || !list->is_array())
    return take(text_of(*object, "type"), *object);
  for (const auto& one : list->get_array())
    each_step(&one, members, take);
}

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
      made.encoder = unigram();
    else if (made.kind == "wordpiece")
      made.encoder = wordpiece();
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
    return std::filesystem::exists(directory_ / "vocab.txt", failed);
  }

  // --- unigram ---

  [[nodiscard]] std::shared_ptr<const tokenizer> unigram() {
    auto words = unigram_vocabulary{};
    const auto* const rows = file_.at("model.vocab");
    const auto* const list = rows == nullptr ? nullptr : rows->if_array();
    if (list == nullptr || list->empty()) {
      file_.mistake("model.vocab", "must be a list of pieces and scores");
      return nullptr;
    }
    for (const auto& row : *list)
      if (!add_piece(row, words))
        return nullptr;
    if (file_.toggle("model.byte_fallback").value_or(false))
      file_.mistake("model.byte_fallback", "is true, which is not understood");
    const auto unknown = file_.count("model.unk_id").value_or(0);
    if (unknown >= words.pieces.size())
      file_.mistake("model.unk_id", "is no row of model.vocab");
    words.unknown = static_cast<token_id>(unknown);
    words.special = names_.special();
    return std::make_shared<unigram_tokenizer>(words, unigram_how());
  }

  [[nodiscard]] bool add_piece(const json::value& row, unigram_vocabulary& to) {
    const auto* const pair = row.if_array();
    const auto good = pair != nullptr && pair->size() == 2 && (*pair)[0].is_string() &&
                      ((*pair)[1].is_number() || (*pair)[1].is_null());
    if (!good) {
      file_.mistake("model.vocab", "row " + std::to_string(to.pieces.size()) +
                                       " is no pair of a piece and a score");
      return false;
    }
    auto piece = scored_piece{std::string{(*pair)[0].get_string()}, 0};
    if ((*pair)[1].is_number())
      piece.score = (*pair)[1].to_number<float>();
    to.pieces.push_back(std::move(piece));
    return true;
  }

  [[nodiscard]] unigram_options unigram_how() {
    auto how = unigram_options{false, false, false};
    each_step(file_.at("normalizer"), "normalizers",
              [&](std::string_view type, const json::object&) {
                if (type == "NFKC" || type == "Precompiled" || type == "Nmt")
                  how.nfkc = true;
                else if (type == "Lowercase")
                  how.lowercase = true;
                else if (type != "Replace" && type != "Strip") // cleaning does these
                  not_understood("normalizer.type", type);
              });
    if (const auto given = overrides_.text("tokenizer.normalizer")) {
      if (*given != "nfkc" && *given != "none")
        overrides_.mistake("tokenizer.normalizer", "must be nfkc or none");
      how.nfkc = *given == "nfkc";
    }
    how.lowercase = overrides_.toggle("tokenizer.lowercase").value_or(how.lowercase);
    each_step(file_.at("pre_tokenizer"), "pretokenizers",
              [&](std::string_view type, const json::object& step) {
                if (type == "Metaspace")
                  how.space_in_front =
                      text_of(step, "prepend_scheme") != "never" &&
                      toggle_of(step, "add_prefix_space").value_or(true);
                else if (type != "WhitespaceSplit")
                  not_understood("pre_tokenizer.type", type);
              });
    return how;
  }

  // --- wordpiece ---

  [[nodiscard]] std::shared_ptr<const tokenizer> wordpiece() {
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
    how.unknown = name_of("unk", "[UNK]");
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
            not_understood("normalizer.type", type);
        });
    each_step(file_.at("pre_tokenizer"), "pretokenizers",
              [&](std::string_view type, const json::object&) {
                if (type != "BertPreTokenizer")
                  not_understood("pre_tokenizer.type", type);
              });
  }

  // --- special tokens ---

  void not_understood(std::string_view field, std::string_view type) {
    file_.mistake(field, "is " + std::string{type} + ", which is not understood");
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
