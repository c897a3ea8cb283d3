#include "engines/model_directory.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <doctest/doctest.h>

using namespace jessica;
using namespace jessica::engines;

namespace {

using ids = std::vector<token_id>;

constexpr auto unigram_file =
    R"({"added_tokens":[{"id":0,"content":"<s>","special":true},)"
    R"({"id":1,"content":"<pad>","special":true},{"id":2,"content":"</s>","special":true},)"
    R"({"id":3,"content":"<unk>","special":true}],)"
    R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Precompiled",)"
    R"("precompiled_charsmap":"AA=="},{"type":"Replace"}]},)"
    R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
    R"({"type":"Metaspace","replacement":"\u2581","add_prefix_space":true}]},)"
    R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":)"
    R"({"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
    R"({"SpecialToken":{"id":"</s>","type_id":0}}],"special_tokens":)"
    R"({"<s>":{"id":"<s>","ids":[0]},"</s>":{"id":"</s>","ids":[2]}}},)"
    R"("model":{"type":"Unigram","unk_id":3,"vocab":[["<s>",0],["<pad>",0],["</s>",0],)"
    R"(["<unk>",0],["\u2581one",-2.5],["\u2581",null],["two",-3]]}})";

struct world {
  test::model_folder folder;

  world() { folder.write("model.onnx", "weights"); }

  [[nodiscard]] model_description read(bool quantized = false) const {
    auto made = read_model_directory(folder.path(), quantized);
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    return std::move(*made);
  }
  /// What is wrong, without the folder.
  [[nodiscard]] std::string refusal(bool quantized = false) const {
    const auto made = read_model_directory(folder.path(), quantized);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid_input);
    const auto name = folder.path().string() + '/';
    const auto& what = made.error().what;
    return what.starts_with(name) ? what.substr(name.size()) : what;
  }
};

} // namespace

TEST_SUITE("engines.model_directory") {
  TEST_CASE("a folder that is not there is not found") {
    const auto made = read_model_directory("/nowhere/at/all", false);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::not_found);
    CHECK(made.error().what.contains("/nowhere/at/all"));
  }

  TEST_CASE_FIXTURE(world, "a plain BERT folder needs nothing but weights and words") {
    folder.write("vocab.txt", test::small_vocabulary);
    const auto found = read();
    CHECK(found.tokens.kind == "wordpiece");
    CHECK(found.tokens.before == ids{2});
    CHECK(found.tokens.after == ids{3});
    CHECK(found.tokens.padding == 0);
    CHECK(found.tokens.encoder->encode("ONE tw\u00f6 tw\u00f8") == ids{4, 5, 1});
    CHECK(found.max_tokens == 512);
    CHECK(found.clean == cleaning{true, false});
    CHECK(found.batch.texts == 32);
    CHECK(found.batch.tokens == 1024);
    CHECK_FALSE(found.pool.has_value());
    CHECK(found.match_threshold == 0);
  }

  TEST_CASE_FIXTURE(world, "tokenizer_config.json tells case, special_tokens_map.json "
                           "names") {
    folder.write("vocab.txt", "<pad>\nUnk\n<a>\n<b>\none\nONE\n");
    folder.write("tokenizer_config.json", R"({"do_lower_case":false})");
    folder.write(
        "special_tokens_map.json",
        R"({"unk_token":"Unk","cls_token":{"content":"<a>"},"sep_token":"<b>",)"
        R"("pad_token":"<pad>"})");
    const auto found = read();
    CHECK(found.tokens.encoder->encode("ONE one two") == ids{5, 4, 1});
    CHECK(found.tokens.before == ids{2});
    CHECK(found.tokens.after == ids{3});
  }

  TEST_CASE_FIXTURE(world, "a tokenizer.json of WordPiece is read as a whole") {
    folder.write(
        "tokenizer.json",
        R"({"truncation":{"max_length":77},"padding":{"pad_id":5},"added_tokens":[],)"
        R"("normalizer":{"type":"BertNormalizer","clean_text":true,)"
        R"("handle_chinese_chars":true,"strip_accents":null,"lowercase":true},)"
        R"("pre_tokenizer":{"type":"BertPreTokenizer"},)"
        R"("post_processor":{"type":"BertProcessing","sep":["[SEP]",1],"cls":["[CLS]",2]},)"
        R"("model":{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"+",)"
        R"("max_input_chars_per_word":5,"vocab":{"?":0,"[SEP]":1,"[CLS]":2,"on":3,)"
        R"("+e":4,"[PAD]":5}}})");
    const auto found = read();
    CHECK(found.tokens.encoder->encode("One \u00f3ne oneone") == ids{3, 4, 3, 4, 0});
    CHECK(found.tokens.before == ids{2});
    CHECK(found.tokens.after == ids{1});
    CHECK(found.tokens.padding == 5);
    CHECK(found.max_tokens == 77);
  }

  TEST_CASE_FIXTURE(world, "a tokenizer.json of Unigram is read as a whole") {
    folder.write("tokenizer.json", unigram_file);
    const auto found = read();
    CHECK(found.tokens.kind == "unigram");
    CHECK(found.tokens.encoder->encode("one two <s>") == ids{4, 5, 6, 5, 3});
    CHECK(found.tokens.before == ids{0});
    CHECK(found.tokens.after == ids{2});
    CHECK(found.tokens.padding == 1);
  }

  TEST_CASE_FIXTURE(world, "the longest text is what the first of four files says") {
    folder.write("tokenizer.json", unigram_file);
    folder.write("config.json",
                 R"({"max_position_embeddings":514,"model_type":"xlm-roberta"})");
    CHECK(read().max_tokens == 512); // two rows of that table are never used
    folder.write("sentence_bert_config.json", R"({"max_seq_length":256})");
    CHECK(read().max_tokens == 256);
    folder.write("embedder.json", R"({"max_tokens":100})");
    CHECK(read().max_tokens == 100);
    folder.write("embedder.json", R"({"max_tokens":2})");
    CHECK(refusal() == "embedder.json: max_tokens leaves no room for a text");
  }

  TEST_CASE_FIXTURE(world, "all of embedder.json is understood") {
    folder.write("tokenizer.json", unigram_file);
    folder.write("other.onnx", "other");
    folder.write(
        "embedder.json",
        R"({"name":"n","id":"i","onnx":"other.onnx","dimensions":8,)"
        R"("truncate_dimensions":4,"max_tokens":64,"output":"o","pooling":"max",)"
        R"("normalize":true,"tokenizer":{"kind":"unigram","lowercase":true,)"
        R"("normalizer":"none","pad":"</s>","template":{"before":[1],"after":[]}},)"
        R"("prefix":{"query":"q: ","document":"d: "},)"
        R"("clean":{"whitespace":false,"lower_if_all_caps":true},)"
        R"("long_text":"truncate","chunk_overlap_tokens":3,)"
        R"("batch":{"max_texts":5,"max_tokens":99},"threads":2,"match_threshold":0.5})");
    const auto found = read();
    CHECK(found.id == "i");
    CHECK(found.onnx == folder.path() / "other.onnx");
    CHECK(found.dimensions == 8);
    CHECK(found.truncate_dimensions == 4);
    CHECK(found.max_tokens == 64);
    CHECK(found.output == "o");
    CHECK(found.pool == pooling::max);
    CHECK(found.tokens.encoder->encode("ONE") == ids{4});
    CHECK(found.tokens.padding == 2);
    CHECK(found.tokens.before == ids{1});
    CHECK(found.tokens.after.empty());
    CHECK(found.query_prefix == "q: ");
    CHECK(found.document_prefix == "d: ");
    CHECK(found.clean == cleaning{false, true});
    CHECK(found.truncate_long);
    CHECK(found.overlap_tokens == 3);
    CHECK(found.batch.texts == 5);
    CHECK(found.batch.tokens == 99);
    CHECK(found.threads == 2);
    CHECK(found.match_threshold == doctest::Approx(0.5));
  }

  TEST_CASE_FIXTURE(world, "mistakes are told with file and field") {
    folder.write("vocab.txt", test::small_vocabulary);
    const auto says = [&](const std::string& json) {
      folder.write("embedder.json", json);
      return refusal();
    };
    CHECK(says(R"({"poolling":"mean"})") ==
          "embedder.json: poolling is not a field of this file");
    CHECK(says(R"({"clean":{"white":true}})") ==
          "embedder.json: clean.white is not a field of this file");
    CHECK(
        says(R"({"pooling":"median"})").starts_with("embedder.json: pooling must be"));
    CHECK(says(R"({"max_tokens":"many"})") ==
          "embedder.json: max_tokens must be a whole number");
    CHECK(says(R"({"max_tokens":-1})") ==
          "embedder.json: max_tokens must be a whole number");
    CHECK(says(R"({"normalize":false})").contains("normalize cannot be false"));
    CHECK(
        says(R"({"long_text":"cut"})").contains("long_text must be chunk or truncate"));
    CHECK(says(R"({"onnx":"gone.onnx"})").contains("onnx names no file"));
    CHECK(says(R"({"tokenizer":{"kind":"bpe"}})").contains("tokenizer.kind must be"));
    CHECK(says(R"({"tokenizer":{"template":{"before":["a"]}}})")
              .contains("tokenizer.template.before must be a list of ids"));
    CHECK(says(R"({"tokenizer":{"sep":"[END]"}})").contains("has no token [END]"));
    CHECK(says(R"({"batch":{"max_texts":0}})").contains("batch.max_texts"));
    CHECK(says("{").contains("embedder.json is not JSON"));
    CHECK(says("3").contains("embedder.json holds no JSON object"));
  }

  TEST_CASE_FIXTURE(world,
                    "a tokenizer that is not understood is refused by its name") {
    const auto says = [&](const std::string& json) {
      folder.write("tokenizer.json", json);
      return refusal();
    };
    CHECK(
        says(R"({"model":{"type":"BPE"}})") ==
        "tokenizer.json: model.type is BPE: only Unigram and WordPiece are understood");
    CHECK(says(R"({"model":{"type":"Unigram","vocab":[]}})").contains("model.vocab"));
    CHECK(says(R"({"model":{"type":"Unigram","vocab":[["a",1],["b"]]}})")
              .contains("model.vocab row 1 is no pair"));
    CHECK(says(R"({"model":{"type":"Unigram","unk_id":1,"vocab":[["a",1]]}})")
              .contains("model.unk_id"));
    CHECK(says(R"({"normalizer":{"type":"Odd"},"model":{"type":"Unigram",)"
               R"("vocab":[["a",1]]}})")
              .contains("normalizer.type is Odd"));
    CHECK(says(R"({"model":{"type":"WordPiece","vocab":{"a":0}}})")
              .contains("model.unk_token [UNK] is not in the vocabulary"));
    CHECK(says(R"({"post_processor":{"type":"Odd"},"model":{"type":"WordPiece",)"
               R"("vocab":{"[UNK]":0}}})")
              .contains("post_processor.type is Odd"));
  }

  TEST_CASE_FIXTURE(world, "a folder without words or weights is refused") {
    CHECK(
        read_model_directory(folder.path(), false).error().what.contains("vocab.txt"));
    folder.write("vocab.txt", test::small_vocabulary);
    std::filesystem::remove(folder.path() / "model.onnx");
    CHECK(refusal().ends_with("has no model.onnx"));
  }

  TEST_CASE_FIXTURE(world, "modules that nothing here does are refused") {
    folder.write("vocab.txt", test::small_vocabulary);
    const auto listed =
        std::string{R"([{"type":"sentence_transformers.models.Pooling"},)"
                    R"({"type":"sentence_transformers.models.Normalize"})"};
    folder.write("modules.json", listed + "]");
    CHECK(read().id.size() > 12);
    folder.write("modules.json",
                 listed + R"(,{"type":"sentence_transformers.models.Dense"}])");
    CHECK(refusal().contains("modules.json: type is "
                             "sentence_transformers.models.Dense"));
  }

  TEST_CASE_FIXTURE(world,
                    "int8 weights are taken when asked for, one text at a time") {
    folder.write("vocab.txt", test::small_vocabulary);
    CHECK(refusal(true).contains("has no model_quantized.onnx"));
    folder.write("onnx/model_quantized.onnx", "..DynamicQuantizeLinear..");
    const auto found = read(true);
    CHECK(found.quantized);
    CHECK(found.batch.texts == 1);
    CHECK_FALSE(read(false).quantized);
    CHECK(read(false).id != found.id);
    std::filesystem::remove(folder.path() / "model.onnx");
    CHECK(read(false).quantized); // the only one there is
  }
}
