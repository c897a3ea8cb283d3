#include "wire/rest_prefer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::wire {

TEST_SUITE("wire.rest_prefer") {
  TEST_CASE("nothing preferred is nothing asked") {
    const auto none = read_prefer("");
    CHECK_FALSE(none.wish);
    CHECK(none.count == row_count::none);
    CHECK(none.duplicates == on_duplicate::fail);
    CHECK_FALSE(none.strict);
    CHECK(none.unknown.empty());
  }

  TEST_CASE("every preference is read, blanks do not matter") {
    const auto all = read_prefer("return=representation , resolution=merge-duplicates,"
                                 "count=planned,missing=default,handling=strict,"
                                 "max-affected=7,timezone=Europe/Berlin,tx=rollback,,");
    CHECK(all.wants_rows());
    CHECK(all.duplicates == on_duplicate::merge);
    CHECK(all.count == row_count::planned);
    CHECK(all.missing_default == true);
    CHECK(all.strict == true);
    CHECK(all.max_affected == 7);
    CHECK(all.time_zone == "Europe/Berlin");
    CHECK(all.undo == true);
    CHECK(read_prefer("tx=commit").undo == false);
    CHECK(read_prefer("tx=maybe").unknown == std::vector<std::string>{"tx=maybe"});
    CHECK(all.unknown.empty());
  }

  TEST_CASE("of one kind the first wins") {
    const auto first =
        read_prefer("count=exact,count=planned,return=minimal,"
                    "return=representation,missing=null,missing=default");
    CHECK(first.count == row_count::exact);
    CHECK(first.wish == result_wish::minimal);
    CHECK(first.missing_default == false);
  }

  TEST_CASE("what is not understood is listed") {
    const auto odd =
        read_prefer("count=exactly, anything, max-affected=-1, "
                    "max-affected=x, return=, timezone=, handling=lenient");
    CHECK(odd.unknown == std::vector<std::string>{"count=exactly", "anything",
                                                  "max-affected=-1", "max-affected=x",
                                                  "return="});
    CHECK(odd.count == row_count::none);
    CHECK(odd.strict == false);
  }

  TEST_CASE("applied is what the action honours") {
    const auto all = read_prefer("return=minimal,resolution=ignore-duplicates,"
                                 "count=exact,missing=null,handling=strict,"
                                 "max-affected=1");
    CHECK(preference_applied(all, rest_action::read) == "count=exact, handling=strict");
    CHECK(preference_applied(all, rest_action::insert) ==
          "resolution=ignore-duplicates, missing=null, return=minimal, count=exact, "
          "handling=strict");
    CHECK(preference_applied(all, rest_action::remove) ==
          "return=minimal, count=exact, handling=strict, max-affected=1");
    CHECK(preference_applied({}, rest_action::insert).empty());
    CHECK(preference_applied(read_prefer("max-affected=1"), rest_action::remove)
              .empty()); // counts with handling=strict only
  }
}

} // namespace jessica::wire
