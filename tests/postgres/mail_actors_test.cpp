#include "actors/codes.hpp"
#include "actors/mailer.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/postgres/mail_world.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

// CODES and MAILER with each other, over real tables: what one stores the other sends.

namespace jessica::actors {
namespace {

using namespace test;
using namespace std::chrono_literals;

/// What a mail server took, and whether it is there.
struct post_office {
  std::vector<std::string> taken; ///< recipients
  bool closed = false;
};

struct counter final : mail::sender {
  explicit counter(std::shared_ptr<post_office> of) : office(std::move(of)) {}
  result<void> send(const mail::message& what) override {
    if (office->closed)
      return fail(errc::unavailable, "closed");
    office->taken.push_back(what.to);
    return {};
  }
  std::shared_ptr<post_office> office;
};

struct mail_house : mail_world {
  std::shared_ptr<post_office> office = std::make_shared<post_office>();
  actor_world world;
  mailer_actor mailer = start_mailer();
  codes_actor codes = world.own(
      world.sys().spawn(code_worker, database(),
                        std::make_shared<const mail_desk>(mail_desk{rules, mailer})));

  mailer_actor start_mailer() {
    return world.own(world.sys().spawn(
        actors::mailer,
        std::make_shared<const mailer_options>(
            database(), rules, [this] { return std::make_unique<counter>(office); })));
  }
  [[nodiscard]] result<done> ask_for_link(const std::string& email) {
    return world.ask<done>(codes, request_sign_in{{email, "{}", true}, plan});
  }
};

} // namespace

TEST_SUITE("actors.mailer") {
  TEST_CASE_FIXTURE(mail_house, "a link that is asked for is sent at once") {
    const auto email = fresh_email();
    REQUIRE(ask_for_link(email));
    CHECK(office->taken == std::vector{email});
    world.advance(5s);
    CHECK(office->taken.size() == 1);
  }

  TEST_CASE_FIXTURE(mail_house, "the code of the letter opens a session, once") {
    const auto email = fresh_email();
    REQUIRE(ask_for_link(email));
    const auto code =
        text_of("select 'sent' from auth.mail_outbox where recipient = $1", {email});
    CHECK(code == "sent");
    // What was sent is forgotten: a second letter, kept back, shows its code.
    office->closed = true;
    REQUIRE(ask_for_link(email));
    const auto shown =
        redeem_code{{verify_type::email, email, letter_to(email).code}, false, {}};
    CHECK(world.ask<storage::redemption>(codes, shown));
    const auto again = world.ask<storage::redemption>(codes, shown);
    REQUIRE_FALSE(again);
    CHECK(again.error().reason == "otp_expired");
  }

  TEST_CASE_FIXTURE(mail_house, "what nobody may have is refused and sends nothing") {
    const auto nobody = request_sign_in{{fresh_email(), "{}", false}, plan};
    const auto refused = world.ask<done>(codes, nobody);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "otp_disabled");
    CHECK(office->taken.empty());
  }

  TEST_CASE_FIXTURE(mail_house,
                    "a letter waits for the mail server and then goes out") {
    office->closed = true;
    const auto email = fresh_email();
    REQUIRE(ask_for_link(email));
    CHECK(office->taken.empty());
    office->closed = false;
    admin("update auth.mail_outbox set due_at = now()");
    world.advance(1s); // its next look
    CHECK(office->taken == std::vector{email});
  }

  TEST_CASE_FIXTURE(mail_house, "letters of a MAILER that died are sent by the next") {
    office->closed = true;
    const auto email = fresh_email();
    REQUIRE(ask_for_link(email));
    caf::anon_send_exit(mailer, caf::exit_reason::kill);
    world.settle();
    office->closed = false;
    admin("update auth.mail_outbox set due_at = now()");
    (void)start_mailer();
    world.settle();
    CHECK(office->taken == std::vector{email});
  }
}

} // namespace jessica::actors
