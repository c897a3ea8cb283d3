#include "engines/open_embedder.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <doctest/doctest.h>

using namespace jessica;
using namespace jessica::engines;

TEST_SUITE("engines.open_embedder") {
  TEST_CASE("none is no embedder, and no failure") {
    auto how = config::embedding_settings{};
    how.engine = "none";
    const auto made = open_embedder(how, "/nowhere");
    REQUIRE(made.has_value());
    CHECK(*made == nullptr);
  }

  TEST_CASE("a model that is not there is not found, and it is said how to get it") {
    const auto made = open_embedder({}, "/nowhere");
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::not_found);
    CHECK(made.error().what.contains("/nowhere/models/use-lite"));
    CHECK(made.error().what.contains("jessica models import"));
  }

  TEST_CASE("the settings' threshold is stronger than the folder's") {
    const auto folder = test::model_folder{};
    folder.write("vocab.txt", test::small_vocabulary);
    folder.write("model.onnx", test::file_of(test::one_hot()));
    folder.write("embedder.json", R"({"match_threshold":0.5})");
    auto how = config::embedding_settings{};
    how.model_directory = folder.path();
    const auto made = open_embedder(how, "/nowhere");
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    CHECK((*made)->traits().match_threshold == doctest::Approx(0.5));
    how.match_percent = 70;
    CHECK(open_embedder(how, "/nowhere").value()->traits().match_threshold ==
          doctest::Approx(0.7));
  }

  TEST_CASE("a folder that holds something else is refused, and nothing is thrown") {
    const auto folder = test::model_folder{};
    folder.write("model.onnx", test::file_of(test::one_hot()));
    auto how = config::embedding_settings{};
    how.model_directory = folder.path();
    auto says = std::string_view{};
    SUBCASE("a directory instead of the tokenizer") {
      folder.write("tokenizer.json/x", "");
      says = "tokenizer.json is no file";
    }
    SUBCASE("a directory instead of the vocabulary") {
      folder.write("vocab.txt/x", "");
      says = "vocab.txt";
    }
    SUBCASE("more tokens than any model has") {
      folder.write("vocab.txt", test::small_vocabulary);
      folder.write("embedder.json", R"({"max_tokens":1000000000000})");
      says = "max_tokens must be at most 65536";
    }
    SUBCASE("more threads than any machine has") {
      folder.write("vocab.txt", test::small_vocabulary);
      folder.write("embedder.json", R"({"threads":257})");
      says = "threads must be from 1 to 256";
    }
    const auto made = open_embedder(how, "/nowhere");
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid_input);
    CHECK_MESSAGE(made.error().what.contains(says), made.error().what);
  }

  TEST_CASE("a server is not asked anything yet") {
    auto how = config::embedding_settings{};
    how.engine = "openai";
    how.openai_url = "http://127.0.0.1:1";
    how.openai_model = "m";
    how.openai_dimensions = 3;
    const auto made = open_embedder(how, "/nowhere");
    REQUIRE(made.has_value());
    CHECK((*made)->traits().dimensions == 3);
  }
}
