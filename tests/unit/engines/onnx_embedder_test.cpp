#include "engines/onnx_embedder.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

using namespace jessica;
using namespace jessica::engines;

namespace {

using numbers = std::vector<float>;

struct world {
  test::model_folder folder;

  world() {
    folder.write("vocab.txt", test::small_vocabulary);
    network(test::one_hot());
  }

  void network(const test::small_network& what) const {
    folder.write("model.onnx", test::file_of(what));
  }
  void settings(const std::string& json) const { folder.write("embedder.json", json); }

  [[nodiscard]] result<std::shared_ptr<embedder>> open() const {
    return open_onnx_embedder({folder.path(), false, 0, 0});
  }
  [[nodiscard]] std::string refusal() const {
    const auto made = open();
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid_input);
    return made.error().what;
  }
  [[nodiscard]] std::vector<numbers>
  vectors(const std::vector<std::string>& texts,
          text_purpose purpose = text_purpose::document) const {
    const auto made = open();
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    auto found = (*made)->embed(texts, purpose);
    REQUIRE_MESSAGE(found.has_value(), found.error().what);
    return std::move(*found);
  }
  [[nodiscard]] std::map<std::string, std::string> facts() const {
    const auto found = describe_model({folder.path(), false, 0, 0});
    REQUIRE_MESSAGE(found.has_value(), found.error().what);
    auto made = std::map<std::string, std::string>{};
    for (const auto& [name, value] : *found)
      made[name] = value;
    return made;
  }
};

/// How much of each token is in a vector, the least being 1.
[[nodiscard]] std::vector<int> shares(const numbers& of) {
  auto least = 1.0F;
  for (const auto one : of)
    least = one > 0 ? std::min(least, one) : least;
  auto made = std::vector<int>{};
  for (const auto one : of)
    made.push_back(static_cast<int>(std::lround(one / least)));
  return made;
}

using tokens = std::vector<int>;

} // namespace

TEST_SUITE("engines.onnx_embedder") {
  TEST_CASE_FIXTURE(world, "without a word of ours the mean of all tokens is taken, "
                           "special ones included, padding not") {
    const auto found = vectors({"one two two", "four", ""});
    //                        PAD UNK CLS SEP one two three four
    CHECK(shares(found[0]) == tokens{0, 0, 1, 1, 1, 2, 0, 0});
    CHECK(shares(found[1]) == tokens{0, 0, 1, 1, 0, 0, 0, 1});
    CHECK(shares(found[2]) == tokens{0, 0, 1, 1, 0, 0, 0, 0});
    auto square = 0.0F;
    for (const auto one : found[0])
      square += one * one;
    CHECK(square == doctest::Approx(1));
  }

  TEST_CASE_FIXTURE(world, "hub files say how to pool") {
    folder.write("1_Pooling/config.json",
                 R"({"word_embedding_dimension":8,"pooling_mode_cls_token":true,)"
                 R"("pooling_mode_mean_tokens":false})");
    CHECK(shares(vectors({"one two"})[0]) == tokens{0, 0, 1, 0, 0, 0, 0, 0});
    folder.write("1_Pooling/config.json", R"({"pooling_mode_lasttoken":true})");
    CHECK(shares(vectors({"one two", "one"})[1]) == tokens{0, 0, 0, 1, 0, 0, 0, 0});
    folder.write("1_Pooling/config.json", R"({"pooling_mode_max_tokens":true})");
    CHECK(shares(vectors({"one two two"})[0]) == tokens{0, 0, 1, 1, 1, 1, 0, 0});
    folder.write("1_Pooling/config.json",
                 R"({"pooling_mode_weightedmean_tokens":true})");
    CHECK(
        refusal().contains("1_Pooling/config.json: pooling_mode_weightedmean_tokens"));
  }

  TEST_CASE_FIXTURE(world, "embedder.json overrides them") {
    folder.write("1_Pooling/config.json", R"({"pooling_mode_cls_token":true})");
    settings(
        R"({"pooling":"last","tokenizer":{"template":{"before":[],"after":[7]}}})");
    CHECK(shares(vectors({"one two"})[0]) == tokens{0, 0, 0, 0, 0, 0, 0, 1});
  }

  TEST_CASE_FIXTURE(world, "inputs are fed by name and type") {
    auto what = test::one_hot();
    what.ids = onnx_element::int32;
    what.types = true;
    network(what);
    CHECK(shares(vectors({"two", "one one"})[0]) == tokens{0, 0, 1, 1, 0, 1, 0, 0});
    CHECK(facts()["inputs"] == "input_ids int32, attention_mask int32, "
                               "token_type_ids int32");
    what.ids = onnx_element::int64;
    what.types = what.mask = false;
    network(what);
    CHECK(shares(vectors({"two", "one one"})[0]) == tokens{0, 0, 1, 1, 0, 1, 0, 0});
  }

  TEST_CASE_FIXTURE(world, "an input that nobody knows is refused by its name") {
    auto graph = onnx_graph{};
    graph.input("pixel_values", onnx_element::int64, {"batch", "sequence"});
    graph.floats("table", {8, 1}, numbers(8, 1.0F));
    graph.node({"Gather", {"table", "pixel_values"}, {"out"}, {}, {}});
    graph.output("out", onnx_element::float32, {"batch", "sequence", 1});
    folder.write("model.onnx", graph.file("other", false, {}));
    CHECK(refusal().contains("pixel_values"));
  }

  TEST_CASE_FIXTURE(world, "questions and documents get their prefixes") {
    folder.write("config_sentence_transformers.json",
                 R"({"prompts":{"query":"three ","passage":"four "}})");
    CHECK(shares(vectors({"one"}, text_purpose::query)[0]) ==
          tokens{0, 0, 1, 1, 1, 0, 1, 0});
    CHECK(shares(vectors({"one"}, text_purpose::document)[0]) ==
          tokens{0, 0, 1, 1, 1, 0, 0, 1});
    settings(R"({"prefix":{"query":"two "}})");
    CHECK(shares(vectors({"one"}, text_purpose::query)[0]) ==
          tokens{0, 0, 1, 1, 1, 1, 0, 0});
  }

  TEST_CASE_FIXTURE(world,
                    "what is behind the longest text is not seen, special tokens "
                    "are kept") {
    settings(R"({"max_tokens":4})");
    CHECK(shares(vectors({"one two three four"})[0]) == tokens{0, 0, 1, 1, 1, 1, 0, 0});
    const auto model = open().value();
    CHECK(model->traits().max_tokens == 4);
    CHECK(model->count_tokens("one two three") == 5);
    const auto text = std::string{"one two three four"};
    CHECK(model->split(text) == std::vector<text_chunk>{{0, 7}, {8, 18}});
    settings(R"({"max_tokens":4,"long_text":"truncate"})");
    CHECK(open().value()->split(text) == std::vector<text_chunk>{{0, 18}});
    CHECK(open().value()->split(" ").empty());
  }

  TEST_CASE_FIXTURE(world, "vectors can be shortened and are of length 1 again") {
    settings(R"({"truncate_dimensions":5})");
    const auto found = vectors({"one one one four"})[0];
    REQUIRE(found.size() == 5);
    CHECK(shares(found) == tokens{0, 0, 1, 1, 3});
    CHECK(open().value()->traits().dimensions == 5);
    settings(R"({"truncate_dimensions":9})");
    CHECK(refusal().contains("truncate_dimensions"));
  }

  TEST_CASE_FIXTURE(world, "a text without direction fails, and says so") {
    auto what = test::one_hot();
    what.table[4] = numbers(8, 0.0F);
    network(what);
    settings(R"({"pooling":"last","tokenizer":{"template":{"before":[]}}})");
    const auto texts = std::vector<std::string>{"two", "one"};
    const auto made = open().value()->embed(texts, text_purpose::query);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::internal);
  }

  TEST_CASE_FIXTURE(world,
                    "a vocabulary that is larger than the model is found at once") {
    folder.write("vocab.txt", std::string{test::small_vocabulary} + "nine\n");
    CHECK(refusal().contains("id 8"));
  }

  TEST_CASE_FIXTURE(world, "widths that contradict each other are refused") {
    settings(R"({"dimensions":9})");
    CHECK(refusal().contains("dimensions"));
    settings("{}");
    folder.write("config.json", R"({"hidden_size":16})");
    CHECK(refusal().contains("hidden_size"));
  }

  TEST_CASE_FIXTURE(world, "an output is found by its name or is refused by it") {
    auto what = test::one_hot();
    what.output = "something";
    network(what);
    CHECK(facts()["output"] == "something, pooling mean");
    settings(R"({"output":"other"})");
    CHECK(refusal().contains("no output other"));
    settings(R"({"pooling":"none"})");
    CHECK(refusal().contains("pooling is none"));
  }

  TEST_CASE_FIXTURE(world, "a file that is no model is refused") {
    folder.write("model.onnx", "not a model");
    CHECK(refusal().contains("model.onnx"));
  }

  TEST_CASE_FIXTURE(world,
                    "the id names folder and weights, or what embedder.json says") {
    const auto first = open().value()->traits().id;
    CHECK(first.starts_with(folder.path().filename().string() + '-'));
    auto what = test::one_hot();
    what.table[4][5] = 1;
    network(what);
    CHECK(open().value()->traits().id != first);
    settings(R"({"name":"mine"})");
    CHECK(open().value()->traits().id.starts_with("mine-"));
    settings(R"({"id":"mine 2"})");
    CHECK(open().value()->traits().id == "mine 2");
  }

  TEST_CASE_FIXTURE(world, "a text has the same vector alone and beside others") {
    const auto texts = std::vector<std::string>{
        "one", "two three four one two", "three", "four one", "", "two two two"};
    settings(R"({"batch":{"max_texts":3,"max_tokens":12}})");
    const auto together = vectors(texts);
    for (auto i = std::size_t{0}; i < texts.size(); ++i)
      CHECK(together[i] == vectors({texts[i]})[0]);
  }

  TEST_CASE("one that was stopped embeds no more") {
    const auto w = world{};
    const auto made = w.open();
    REQUIRE(made.has_value());
    const auto one = std::vector<std::string>{"one"};
    CHECK((*made)->embed(one, text_purpose::query).has_value());
    (*made)->stop();
    const auto refused = (*made)->embed(one, text_purpose::query);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::unavailable);
  }
}
