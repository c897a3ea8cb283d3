#include "wire/answer_table.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

TEST_SUITE_BEGIN("wire.answer_table");

namespace jessica::wire {
namespace {

constexpr auto rows = std::to_array<answer_row>({
    {"gone", 404, "gone", "It is gone"},
    {"odd", 409, "odd", "A conflict that is odd", errc::conflict},
    {"odd", 422, "odd", "Anything that is odd"},
    {"narrow", 418, "narrow", "For one code", errc::forbidden},
    {"", 403, "forbidden", "No", errc::forbidden},
    {"", 500, "internal", "A bug", errc::internal},
});

[[nodiscard]] int status_of(errc code, std::string reason) {
  return answer_to({code, "", std::move(reason), nullptr}, rows).status;
}

TEST_CASE("an error's reason comes before its code") {
  CHECK(status_of(errc::forbidden, "gone") == 404);
  CHECK(status_of(errc::forbidden, "") == 403);
  CHECK(status_of(errc::forbidden, "unheard of") == 403);
}

TEST_CASE("of the rows of one reason the first that is for the code answers") {
  CHECK(status_of(errc::conflict, "odd") == 409);
  CHECK(status_of(errc::forbidden, "odd") == 422);
}

TEST_CASE("a reason that is for other codes says nothing") {
  CHECK(status_of(errc::forbidden, "narrow") == 418);
  CHECK(status_of(errc::internal, "narrow") == 500);
}

TEST_CASE("what has no row is a bug") {
  CHECK(status_of(errc::timeout, "") == 500);
  static_assert(!answers_every_code(rows));
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
