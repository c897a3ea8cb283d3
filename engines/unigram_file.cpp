#include "engines/unigram_file.hpp"

#include "engines/tokenizer_steps.hpp"
#include "engines/unigram_tokenizer.hpp"

#include <string>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;

class reader {
public:
  reader(json_fields& file, json_fields& overrides,
         const std::vector<token_id>& special)
      : file_{file}, overrides_{overrides}, special_{special} {}

  [[nodiscard]] std::shared_ptr<const tokenizer> read() {
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
    words.special = special_;
    return std::make_shared<unigram_tokenizer>(words, unigram_how());
  }

private:
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
                  not_understood(file_, "normalizer.type", type);
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
                  not_understood(file_, "pre_tokenizer.type", type);
              });
    return how;
  }

  json_fields& file_;
  json_fields& overrides_;
  const std::vector<token_id>& special_;
};

} // namespace

std::shared_ptr<const tokenizer> read_unigram(json_fields& file, json_fields& overrides,
                                              const std::vector<token_id>& special) {
  return reader{file, overrides, special}.read();
}

} // namespace jessica::engines
