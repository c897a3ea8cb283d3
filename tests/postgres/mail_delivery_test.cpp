#include "actors/mail_delivery.hpp"
#include "tests/postgres/mail_world.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace jessica::actors {
namespace {

using namespace test;
using namespace std::chrono_literals;

/// Takes what is not refused.
struct scripted_sender final : mail::sender {
  std::deque<errc> refusals;
  std::vector<mail::message> taken;

  result<void> send(const mail::message& what) override {
    if (!refusals.empty()) {
      const auto code = refusals.front();
      refusals.pop_front();
      return fail(code, "scripted");
    }
    taken.push_back(what);
    return {};
  }
};

struct delivery_world : mail_world {
  scripted_sender to;

  [[nodiscard]] bool deliver() { return deliver_next(db, rules, to); }
  static void make_due() { admin("update auth.mail_outbox set due_at = now()"); }
  [[nodiscard]] static std::string state() {
    return text_of("select concat_ws(' ', attempts, sent, sealed is null, "
                   "settled_at is null, settled_at is null and due_at > now()) "
                   "from auth.mail_outbox");
  }
};

} // namespace

TEST_SUITE("actors.mail_delivery") {
  TEST_CASE_FIXTURE(delivery_world, "a letter is sent once, in order, and forgotten") {
    const auto one = fresh_email();
    const auto two = fresh_email();
    (void)waiting(one);
    const auto code = letter_to(one).code;
    (void)waiting(two);
    CHECK(deliver());
    CHECK(deliver());
    CHECK_FALSE(deliver());
    REQUIRE(to.taken.size() == 2);
    CHECK(to.taken[0].to == one);
    CHECK(to.taken[1].to == two);
    CHECK(to.taken[0].from == "jessica@localhost");
    CHECK(to.taken[0].bytes.contains(code));
    CHECK(number_of("select count(*) from auth.mail_outbox "
                    "where sent and sealed is null and settled_at is not null") == 2);
  }

  TEST_CASE_FIXTURE(delivery_world, "a refusal for now comes again after a pause") {
    (void)waiting(fresh_email());
    to.refusals = {errc::unavailable};
    CHECK(deliver());
    CHECK(state() == "1 f t t");
    CHECK_FALSE(deliver());
    make_due();
    CHECK(deliver());
    CHECK(to.taken.size() == 1);
    CHECK(state() == "2 t t f f");
  }

  TEST_CASE_FIXTURE(delivery_world, "a letter is given up after its last attempt") {
    rules.mail.attempts = 2;
    (void)waiting(fresh_email());
    to.refusals = {errc::timeout, errc::forbidden};
    CHECK(deliver());
    make_due();
    CHECK(deliver());
    CHECK(state() == "2 f t f f");
    make_due();
    CHECK_FALSE(deliver());
    CHECK(to.taken.empty());
  }

  TEST_CASE_FIXTURE(delivery_world, "what is refused for good is not tried again") {
    (void)waiting(fresh_email());
    to.refusals = {errc::invalid_input};
    CHECK(deliver());
    CHECK(state() == "1 f t f f");
  }

  TEST_CASE_FIXTURE(delivery_world, "an expired code and a foreign seal are not sent") {
    (void)waiting(fresh_email());
    admin("update auth.mail_outbox set expires_at = now()");
    CHECK(deliver());
    (void)waiting(fresh_email());
    rules.key = storage::code_key::derive("another secret");
    CHECK(deliver());
    CHECK(to.taken.empty());
    CHECK(number_of("select count(*) from auth.mail_outbox where not sent") == 2);
  }

  TEST_CASE_FIXTURE(delivery_world, "a letter is one node's until its lease is over") {
    (void)waiting(fresh_email());
    const auto mine = storage::take_letter(db, rules, 30s);
    REQUIRE(mine);
    REQUIRE(*mine);
    CHECK_FALSE(deliver());
    make_due(); // the other node died
    CHECK(deliver());
    CHECK(to.taken.size() == 1);
  }

  TEST_CASE_FIXTURE(delivery_world, "pauses triple, up to an hour") {
    CHECK(pause_after(5s, 1) == 5s);
    CHECK(pause_after(5s, 2) == 15s);
    CHECK(pause_after(5s, 4) == 135s);
    CHECK(pause_after(5s, 100) == 1h);
  }
}

} // namespace jessica::actors
