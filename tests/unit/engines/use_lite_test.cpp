#include "engines/model_directory.hpp"
#include "engines/onnx_embedder.hpp"
#include "engines/onnx_session.hpp"
#include "engines/unit_vector.hpp"
#include "tests/unit/engines/use_lite_files.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>
#include <thread>

using namespace jessica;
using namespace jessica::engines;

namespace {

namespace json = boost::json;
using vectors = std::vector<std::vector<float>>;

/// A text as the original's own tokenizer and network saw it.
struct sentence {
  std::string text;
  std::vector<token_id> ids;
  std::vector<token_id> spm_ids; ///< empty: as ids
  std::vector<float> vector;     ///< of `ids`
};

template <class Number>
[[nodiscard]] std::vector<Number> numbers(const json::value& from) {
  auto made = std::vector<Number>{};
  for (const auto& one : from.as_array())
    made.push_back(one.to_number<Number>());
  return made;
}

[[nodiscard]] const std::vector<sentence>& reference() {
  static const auto all = [] {
    auto in = std::ifstream{TEST_FIXTURES "/use-lite-reference.json"};
    const auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
    auto made = std::vector<sentence>{};
    const auto root = json::parse(text);
    for (const auto& one : root.at("sentences").as_array()) {
      auto read = sentence{std::string{one.at("text").as_string()},
                           numbers<token_id>(one.at("ids")),
                           {},
                           numbers<float>(one.at("vec"))};
      if (const auto* const other = one.as_object().if_contains("spm_ids"))
        read.spm_ids = numbers<token_id>(*other);
      made.push_back(std::move(read));
    }
    return made;
  }();
  return all;
}

[[nodiscard]] double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

[[nodiscard]] double length_of(const std::vector<float>& a) {
  return std::sqrt(std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
}

/// Vectors of the fixture's own ids, `many` in a batch.
[[nodiscard]] vectors vectors_of_ids(bool quantized, std::size_t many) {
  const auto model = read_model_directory(test::use_lite_directory(), quantized);
  REQUIRE_MESSAGE(model.has_value(), model.error().what);
  const auto session = onnx_session::open(model->onnx, "", 1);
  REQUIRE_MESSAGE(session.has_value(), session.error().what);
  auto ids = std::vector<std::vector<token_id>>{};
  for (const auto& one : reference()) {
    ids.push_back(one.ids);
    ids.back().resize(std::min(one.ids.size(), model->max_tokens));
  }
  auto made = vectors(ids.size());
  for (const auto& chosen : plan_batches(ids, {many, 100'000})) {
    auto found = session->run(padded(ids, chosen, 0), pooling::none);
    REQUIRE_MESSAGE(found.has_value(), found.error().what);
    for (auto i = std::size_t{0}; i < chosen.size(); ++i)
      made[chosen[i]] = std::move((*found)[i]);
  }
  return made;
}

struct likeness {
  double least = 1;
  double mean = 0;
};

[[nodiscard]] likeness likeness_to_reference(const vectors& found) {
  REQUIRE(found.size() == reference().size());
  auto made = likeness{};
  for (auto i = std::size_t{0}; i < found.size(); ++i) {
    const auto one = cosine(found[i], reference()[i].vector);
    made.least = std::min(made.least, one);
    made.mean += one / static_cast<double>(found.size());
  }
  return made;
}

[[nodiscard]] std::shared_ptr<embedder> opened(bool quantized = false) {
  auto made = open_onnx_embedder({test::use_lite_directory(), quantized, 0, 0});
  REQUIRE_MESSAGE(made.has_value(), made.error().what);
  return *made;
}

[[nodiscard]] std::vector<std::string> all_texts() {
  auto texts = std::vector<std::string>{};
  for (const auto& one : reference())
    texts.push_back(one.text);
  return texts;
}

} // namespace

TEST_SUITE("engines.use_lite") {
  TEST_CASE("texts become the original's ids, but for four that it reads against "
            "SentencePiece's rules") {
    if (!test::has_use_lite())
      return;
    const auto model = read_model_directory(test::use_lite_directory(), false);
    REQUIRE_MESSAGE(model.has_value(), model.error().what);
    REQUIRE(reference().size() == 200);
    auto exceptions = 0;
    for (const auto& one : reference()) {
      CAPTURE(one.text);
      exceptions += one.spm_ids.empty() ? 0 : 1;
      CHECK(model->tokens.encoder->encode(one.text) ==
            (one.spm_ids.empty() ? one.ids : one.spm_ids));
    }
    CHECK(exceptions == 4);
  }

  TEST_CASE("ids become the original's vectors, one by one and in padded batches") {
    if (!test::has_use_lite())
      return;
    CHECK(likeness_to_reference(vectors_of_ids(false, 1)).least >= 0.9999);
    CHECK(likeness_to_reference(vectors_of_ids(false, 32)).least >= 0.9999);
  }

  TEST_CASE("texts that need no cleaning have the original's vectors") {
    if (!test::has_use_lite())
      return;
    const auto found = opened()->embed(all_texts(), text_purpose::document);
    REQUIRE_MESSAGE(found.has_value(), found.error().what);
    auto compared = 0;
    for (auto i = std::size_t{0}; i < found->size(); ++i) {
      const auto& one = reference()[i];
      CHECK(length_of((*found)[i]) == doctest::Approx(1));
      if (!one.spm_ids.empty() || clean_text(one.text, {true, true}) != one.text)
        continue;
      ++compared;
      CAPTURE(one.text);
      CHECK(cosine((*found)[i], one.vector) >= 0.9999);
    }
    CHECK(compared > 150);
  }

  TEST_CASE("the int8 weights stay near the original, whatever else is asked for") {
    if (!test::has_use_lite())
      return;
    const auto alone = likeness_to_reference(vectors_of_ids(true, 1));
    CHECK(alone.least >= 0.997);
    CHECK(alone.mean >= 0.999);
    const auto small = opened(true);
    CHECK(small->traits().id != opened()->traits().id);
    const auto texts = all_texts();
    const auto together = small->embed(texts, text_purpose::query);
    const auto single =
        small->embed(std::span{texts}.subspan(7, 1), text_purpose::query);
    REQUIRE(together.has_value());
    REQUIRE(single.has_value());
    CHECK((*together)[7] == single->front()); // one at a time: no neighbours
  }

  TEST_CASE("the model says who it is and what it wants") {
    if (!test::has_use_lite())
      return;
    const auto traits = opened()->traits();
    CHECK(traits.id.starts_with("use-lite-"));
    CHECK(traits.dimensions == 512);
    CHECK(traits.max_tokens == 128);
    CHECK(traits.match_threshold == doctest::Approx(0.45));
  }

  TEST_CASE("the same is said in the same way however it is typed") {
    if (!test::has_use_lite())
      return;
    const auto texts = std::vector<std::string>{
        "Where is the train station?", "  Where is\n\nthe\ttrain   station? ",
        "how do I cook rice", "HOW DO I COOK RICE"};
    const auto found = opened()->embed(texts, text_purpose::query);
    REQUIRE(found.has_value());
    CHECK((*found)[0] == (*found)[1]);
    CHECK(cosine((*found)[2], (*found)[3]) > 0.95);
    CHECK(cosine((*found)[0], (*found)[2]) < 0.45);
  }

  TEST_CASE("no text and empty texts are answered as well") {
    if (!test::has_use_lite())
      return;
    const auto model = opened();
    CHECK(model->embed({}, text_purpose::query).value().empty());
    const auto texts = std::vector<std::string>{"", " \n", "word"};
    const auto found = model->embed(texts, text_purpose::query);
    REQUIRE(found.has_value());
    CHECK((*found)[0].size() == 512);
    CHECK(cosine((*found)[0], (*found)[1]) > 0.9999);
  }

  TEST_CASE("long texts are cut into pieces that the model sees as a whole") {
    if (!test::has_use_lite())
      return;
    const auto model = opened();
    auto text = std::string{};
    for (const auto& one : reference())
      text += one.text + (text.size() % 3 == 0 ? "\n\n" : " ");
    const auto pieces = model->split(text);
    CHECK(pieces.size() > 10);
    auto longest = std::size_t{0};
    for (const auto [begin, end] : pieces) {
      const auto tokens = model->count_tokens(text.substr(begin, end - begin));
      CHECK(tokens <= 128);
      longest = std::max(longest, tokens);
    }
    CHECK(longest > 100);
    CHECK(model->split("").empty());
    CHECK(model->count_tokens("") == 0);
  }

  TEST_CASE("eight threads get what one gets") {
    if (!test::has_use_lite())
      return;
    const auto model = opened();
    auto texts = all_texts();
    texts.resize(40);
    const auto alone = model->embed(texts, text_purpose::document);
    REQUIRE(alone.has_value());
    auto results = std::vector<result<vectors>>(8);
    {
      auto threads = std::vector<std::jthread>{};
      for (auto& into : results)
        threads.emplace_back(
            [&] { into = model->embed(texts, text_purpose::document); });
    }
    for (const auto& one : results) {
      REQUIRE(one.has_value());
      CHECK(*one == *alone);
    }
  }
}
