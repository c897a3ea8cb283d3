#include "domain/title.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("domain.title");

namespace {
using namespace jessica;
}

TEST_CASE("what models put around a title is taken away") {
  CHECK(clean_title("Packing for the ferry") == "Packing for the ferry");
  CHECK(clean_title("\"Packing for the ferry.\"") == "Packing for the ferry");
  CHECK(clean_title("**Title: Packing for the ferry**") == "Packing for the ferry");
  CHECK(clean_title("# Packing for the ferry\n\nIt is about…") ==
        "Packing for the ferry");
  CHECK(clean_title("title: “Über die Fähre”") == "Über die Fähre");
  CHECK(clean_title("「渡轮」。") == "渡轮");
}

TEST_CASE("what belongs to a title stays") {
  CHECK(clean_title("Learning C#") == "Learning C#");
  CHECK(clean_title("Why is it late?") == "Why is it late?");
  CHECK(clean_title("And then...") == "And then...");
  CHECK(clean_title("The titles: a study") == "The titles: a study");
}

TEST_CASE("the first line with words in it is the title") {
  CHECK(clean_title("\n\n  \"\" \n***\nBoats\nmore") == "Boats");
  CHECK(clean_title("\r\nBoats\r\n") == "Boats");
}

TEST_CASE("blanks become one, control characters go") {
  CHECK(clean_title("two \t  boats\x01 on\x7f") == "two boats on\x7f");
}

TEST_CASE("no more than eighty characters, however many bytes each has") {
  const auto o = std::string{"ö"};
  auto text = std::string{};
  for (auto i = 0; i < 200; ++i)
    text += o;
  CHECK(clean_title(text).size() == 2 * most_title_characters);
  CHECK(clean_title(std::string(500, 'x')).size() == most_title_characters);
}

TEST_CASE("where no words are, there is no title") {
  CHECK(clean_title("").empty());
  CHECK(clean_title(" \n\"\"\n***").empty());
}

TEST_SUITE_END();
