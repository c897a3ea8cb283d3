#include "ops/metrics.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace jessica;

namespace {

bool page_has_line(const std::string& line) {
  return ("\n" + ops::metrics_page()).contains("\n" + line + "\n");
}

} // namespace

TEST_SUITE("ops.metrics") {
  TEST_CASE("a counter shows with its help, type and value") {
    auto sent = ops::counter{"jessica_test_sent_total", "Frames sent."};
    sent.add();
    sent.add(2);
    CHECK(page_has_line("# HELP jessica_test_sent_total Frames sent."));
    CHECK(page_has_line("# TYPE jessica_test_sent_total counter"));
    CHECK(page_has_line("jessica_test_sent_total 3"));
  }

  TEST_CASE("a second counter of the same name is the same cell") {
    auto one = ops::counter{"jessica_test_shared_total", "Shared."};
    auto two = ops::counter{"jessica_test_shared_total", "Shared."};
    one.add();
    two.add();
    CHECK(page_has_line("jessica_test_shared_total 2"));
  }

  TEST_CASE("a counter never goes down") {
    auto only_up = ops::counter{"jessica_test_up_total", "Up."};
    only_up.add(5);
    only_up.add(-3);
    CHECK(page_has_line("jessica_test_up_total 5"));
  }

  TEST_CASE("a gauge goes up and down") {
    auto open = ops::gauge{"jessica_test_open", "Open sockets."};
    open.set(5);
    open.add(2);
    open.add(-3);
    CHECK(page_has_line("jessica_test_open 4"));
  }

  TEST_CASE("a histogram counts each observation in its bucket") {
    auto time = ops::histogram{"jessica_test_time_seconds", "Time.", {0.1, 1}};
    time.observe(0.05);
    time.observe(0.5);
    time.observe(5);
    CHECK(page_has_line(R"(jessica_test_time_seconds_bucket{le="0.1"} 1)"));
    CHECK(page_has_line(R"(jessica_test_time_seconds_bucket{le="1"} 2)"));
    CHECK(page_has_line(R"(jessica_test_time_seconds_bucket{le="+Inf"} 3)"));
    CHECK(page_has_line("jessica_test_time_seconds_sum 5.55"));
  }

  TEST_CASE("a name that is another kind already, or no name at all, is refused") {
    auto taken = ops::counter{"jessica_test_taken", "A counter."};
    taken.add();
    CHECK_THROWS_AS((ops::gauge{"jessica_test_taken", "A gauge."}),
                    std::invalid_argument);
    CHECK_THROWS_AS((ops::counter{"not a name", "Bad."}), std::invalid_argument);
  }

  TEST_CASE("counts from many threads are all kept") {
    auto threads = std::vector<std::jthread>{};
    for (auto i = 0; i < 4; ++i)
      threads.emplace_back([] {
        auto hits = ops::counter{"jessica_test_hits_total", "Hits."};
        for (auto n = 0; n < 10'000; ++n)
          hits.add();
      });
    threads.clear();
    CHECK(page_has_line("jessica_test_hits_total 40000"));
  }
}
