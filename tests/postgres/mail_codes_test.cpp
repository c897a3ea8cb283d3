#include "storage/flow_state.hpp"
#include "storage/mail_requests.hpp"
#include "storage/redeem.hpp"
#include "tests/postgres/mail_world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

using namespace test;

constexpr auto verifier = "a verifier that is long enough for anybody's taste";

} // namespace

TEST_SUITE("storage.mail_codes") {
  TEST_CASE_FIXTURE(mail_world, "a sign-up waits, and its code ends the waiting once") {
    const auto email = fresh_email();
    const auto made = waiting(email);
    CHECK_FALSE(made.taken);
    CHECK(made.user.email == email);
    CHECK_FALSE(made.user.email_confirmed_at);
    CHECK(made.user.mail.confirmation_sent_at);
    CHECK(sessions_of(made.user.id) == 0);
    CHECK(reason(sign_in(db, limits, email, "secret1", {})) == "email_not_confirmed");
    CHECK(reason(sign_in(db, limits, email, "secret2", {})) == "invalid_credentials");
    const auto mail = letter_to(email);
    CHECK(mail.kind == letter_kind::confirmation);
    CHECK(mail.code.size() == 6);
    CHECK(mail.redirect_to == plan.redirect_to);
    const auto done = show(verify_type::signup, email, mail.code);
    REQUIRE(done);
    REQUIRE(done->session);
    CHECK(done->session->user.id == made.user.id);
    CHECK(done->session->method == "otp");
    CHECK(done->session->user.email_confirmed_at);
    CHECK(done->session->user.user_metadata.contains(R"("email_verified": true)"));
    CHECK(reason(show(verify_type::signup, email, mail.code)) == "otp_expired");
    CHECK(reason(show(verify_type::signup, "", mail.token)) == "otp_link_expired");
    CHECK(sign_in(db, limits, email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(mail_world,
                    "somebody's address gets a made-up account and no mail") {
    const auto owner = member();
    const auto made = waiting(owner.user.email);
    CHECK(made.taken);
    CHECK(made.user.id != owner.user.id);
    CHECK(made.user.mail.confirmation_sent_at);
    CHECK_FALSE(made.user.email_confirmed_at);
    CHECK(letters_to(owner.user.email) == 0);
    CHECK(number_of("select count(*) from auth.users where id = $1",
                    {made.user.id.str()}) == 0);
  }

  TEST_CASE_FIXTURE(mail_world,
                    "signing up again sends again and changes nothing else") {
    const auto email = fresh_email();
    const auto first = waiting(email);
    const auto old = letter_to(email);
    const auto again =
        sign_up_by_mail(db, rules, {email, "secret2", R"({"a": 1})"}, plan);
    REQUIRE(again);
    CHECK(again->user.id == first.user.id);
    CHECK_FALSE(again->taken);
    CHECK(letters_to(email) == 2);
    CHECK(reason(show(verify_type::signup, "", old.token)) == "otp_link_expired");
    REQUIRE(show(verify_type::signup, "", letter_to(email).token));
    CHECK(sign_in(db, limits, email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(mail_world, "wrong guesses spend a code, but not its link") {
    rules.auth.otp_attempts = 2;
    const auto email = fresh_email();
    (void)waiting(email);
    const auto mail = letter_to(email);
    for (auto i = 0; i < 2; ++i)
      CHECK(reason(show(verify_type::email, email, another(mail.code))) ==
            "otp_expired");
    CHECK(reason(show(verify_type::email, email, mail.code)) == "otp_expired");
    CHECK(show(verify_type::email, "", mail.token));
  }

  TEST_CASE_FIXTURE(mail_world, "a code is for its kind, its address and its time") {
    const auto one = fresh_email();
    const auto other = fresh_email();
    (void)waiting(one);
    (void)waiting(other);
    const auto mail = letter_to(one);
    CHECK(reason(show(verify_type::recovery, one, mail.code)) == "otp_expired");
    CHECK(reason(show(verify_type::email_change, one, mail.code)) == "otp_expired");
    CHECK(reason(show(verify_type::recovery, "", mail.token)) == "otp_link_expired");
    if (letter_to(other).code != mail.code)
      CHECK(reason(show(verify_type::signup, other, mail.code)) == "otp_expired");
    for (const auto* bad : {"", "0", "00000000", "' or 1=1", "pkce_"})
      CHECK(reason(show(verify_type::signup, one, bad)) == "otp_expired");
    admin("update auth.one_time_codes set expires_at = now() where email = $1", {one});
    CHECK(reason(show(verify_type::signup, one, mail.code)) == "otp_expired");
    CHECK(reason(show(verify_type::signup, "", mail.token)) == "otp_link_expired");
  }

  TEST_CASE_FIXTURE(mail_world, "a code of another server's key is no code") {
    const auto email = fresh_email();
    (void)waiting(email);
    const auto code = letter_to(email).code;
    rules.key = code_key::derive("another secret");
    CHECK(reason(show(verify_type::signup, email, code)) == "otp_expired");
  }

  TEST_CASE_FIXTURE(mail_world, "banned and deleted users come in by no code") {
    const auto email = fresh_email();
    const auto made = waiting(email);
    const auto mail = letter_to(email);
    admin("update auth.users set banned_until = 'infinity' where id = $1",
          {made.user.id.str()});
    CHECK(reason(show(verify_type::signup, "", mail.token)) == "user_banned");
    admin("update auth.users set banned_until = null, deleted_at = now() where id = $1",
          {made.user.id.str()});
    CHECK(reason(show(verify_type::signup, "", mail.token)) == "otp_link_expired");
  }

  TEST_CASE_FIXTURE(mail_world, "a magic link knows whom to create") {
    const auto email = fresh_email();
    CHECK(reason(request_sign_in(db, rules, {email, "{}", false}, plan)) ==
          "otp_disabled");
    rules.auth.signup_enabled = false;
    CHECK(reason(request_sign_in(db, rules, {email, "{}", true}, plan)) ==
          "signup_disabled");
    rules.auth.signup_enabled = true;
    CHECK(request_sign_in(db, rules, {email, R"({"a": 1})", true}, plan));
    CHECK(letter_to(email).kind == letter_kind::confirmation);
    CHECK(show(verify_type::email, email, letter_to(email).code));
    CHECK(request_sign_in(db, rules, {email, "{}", false}, plan));
    CHECK(letter_to(email).kind == letter_kind::magic_link);
    const auto back = show(verify_type::magiclink, email, letter_to(email).code);
    REQUIRE(back);
    CHECK(back->session->user.user_metadata.contains(R"("a": 1)"));
    CHECK(back->session->user.mail.recovery_sent_at);
  }

  TEST_CASE_FIXTURE(mail_world, "with autoconfirm a magic link is the first letter") {
    rules.auth.autoconfirm = true;
    const auto email = fresh_email();
    CHECK(request_sign_in(db, rules, {email, "{}", true}, plan));
    CHECK(letter_to(email).kind == letter_kind::magic_link);
    const auto done = show(verify_type::magiclink, email, letter_to(email).code);
    REQUIRE(done);
    CHECK(done->session->user.email_confirmed_at);
  }

  TEST_CASE_FIXTURE(mail_world, "what is asked for nobody is answered alike") {
    const auto nobody = fresh_email();
    CHECK(request_recovery(db, rules, nobody, plan));
    CHECK(resend(db, rules, nobody, false, plan));
    CHECK(resend(db, rules, nobody, true, plan));
    CHECK(resend(db, rules, member().user.email, false, plan)); // nothing waits
    CHECK(number_of("select count(*) from auth.mail_outbox") == 0);
  }

  TEST_CASE_FIXTURE(mail_world, "an address is written to after a pause only") {
    rules.mail.interval = std::chrono::seconds{60};
    for (const auto& email : {fresh_email(), member().user.email}) {
      CHECK(request_recovery(db, rules, email, plan));
      const auto again = request_recovery(db, rules, email, plan);
      REQUIRE_FALSE(again);
      CHECK(again.error().reason == "over_email_send_rate_limit");
      CHECK(again.error().what.starts_with(
          "For security purposes, you can only request this after "));
      CHECK(reason(sign_up_by_mail(db, rules, {email, "secret1", "{}"}, plan)) ==
            "over_email_send_rate_limit");
      admin("update auth.mail_times set asked_at = now() - interval '61 s'");
      CHECK(request_recovery(db, rules, email, plan));
    }
  }

  TEST_CASE_FIXTURE(mail_world, "an address that proved itself need not wait") {
    rules.mail.interval = std::chrono::seconds{60};
    const auto email = member().user.email;
    CHECK(request_recovery(db, rules, email, plan));
    CHECK(show(verify_type::recovery, email, letter_to(email).code));
    CHECK(request_recovery(db, rules, email, plan));
  }

  TEST_CASE_FIXTURE(mail_world, "the mails of an hour are counted") {
    rules.mail.per_hour = 2;
    (void)waiting(fresh_email());
    (void)waiting(fresh_email());
    const auto email = fresh_email();
    const auto full = sign_up_by_mail(db, rules, {email, "secret1", "{}"}, plan);
    REQUIRE_FALSE(full);
    CHECK(full.error().what == "email rate limit exceeded");
    CHECK(number_of("select count(*) from auth.users where email = $1", {email}) == 0);
    admin("update auth.mail_outbox set created_at = now() - interval '61 min'");
    CHECK(sign_up_by_mail(db, rules, {email, "secret1", "{}"}, plan));
  }

  TEST_CASE_FIXTURE(mail_world,
                    "an invitation makes an account, again until it is used") {
    rules.mail.interval = std::chrono::seconds{60}; // not for operators
    const auto email = fresh_email();
    const auto first = invite(db, rules, email, R"({"team": "blue"})", plan);
    REQUIRE(first);
    CHECK(first->mail.invited_at);
    const auto second = invite(db, rules, email, "{}", plan);
    REQUIRE(second);
    CHECK(second->id == first->id);
    CHECK(letter_to(email).kind == letter_kind::invite);
    const auto come = show(verify_type::invite, email, letter_to(email).code);
    REQUIRE(come);
    CHECK(come->session->user.user_metadata.contains("blue"));
    CHECK(reason(invite(db, rules, email, "{}", plan)) == "email_exists");
  }

  TEST_CASE_FIXTURE(mail_world,
                    "a reauthentication's code is spent by its user alone") {
    const auto ada = member();
    const auto bob = member();
    CHECK(reason(request_reauthentication(db, rules, ada.user.id, bob.session)) ==
          "session_not_found");
    CHECK(request_reauthentication(db, rules, ada.user.id, ada.session));
    const auto mail = letter_to(ada.user.email);
    CHECK(mail.token.empty());
    const auto spend = [&](user_id who, std::string code) {
      return reason(spend_nonce(db, rules, who, code));
    };
    CHECK(spend(bob.user.id, mail.code) == "reauthentication_not_valid");
    CHECK(spend(ada.user.id, another(mail.code)) == "reauthentication_not_valid");
    CHECK(spend(ada.user.id, "") == "reauthentication_not_valid");
    CHECK(spend(ada.user.id, mail.code).empty());
    CHECK(spend(ada.user.id, mail.code) == "reauthentication_not_valid");
    const auto guest = sign_up(db, limits, {"", "", "{}"}, {});
    REQUIRE(guest);
    CHECK(reason(request_reauthentication(db, rules, guest->user.id, guest->session)) ==
          "validation_failed");
    const auto waits = waiting(fresh_email());
    admin("update auth.users set email_confirmed_at = null where id = $1",
          {bob.user.id.str()});
    CHECK(reason(request_reauthentication(db, rules, bob.user.id, bob.session)) ==
          "email_unconfirmed");
    CHECK_FALSE(waits.taken);
  }

  TEST_CASE_FIXTURE(mail_world,
                    "a link of an app gives a code, which its verifier opens") {
    const auto email = fresh_email();
    REQUIRE(sign_up_by_mail(db, rules, {email, "secret1", "{}"}, plan_for(verifier)));
    const auto mail = letter_to(email);
    REQUIRE(mail.token.starts_with(pkce_prefix));
    const auto done = show(verify_type::signup, "", mail.token, true);
    REQUIRE(done);
    CHECK_FALSE(done->session);
    const auto code = done->auth_code;
    REQUIRE_FALSE(code.empty());
    CHECK(text_of("select count(*) from auth.flow_state where auth_code_hash = $1",
                  {code}) == "0");
    const auto exchange = [&](std::string_view with) {
      return exchange_code(db, rules, code, with, {});
    };
    CHECK(reason(exchange("wrong")) == "bad_code_verifier");
    CHECK(reason(exchange(challenge_of(verifier))) == "bad_code_verifier");
    CHECK(reason(exchange_code(db, rules, mail.token, verifier, {})) ==
          "flow_state_not_found");
    const auto opened = exchange(verifier);
    REQUIRE(opened);
    CHECK(opened->method == "email/signup");
    CHECK(opened->user.email == email);
    CHECK(reason(exchange(verifier)) == "flow_state_not_found");
  }

  TEST_CASE_FIXTURE(mail_world, "an app's code is good for a while only") {
    const auto email = member().user.email;
    REQUIRE(request_recovery(db, rules, email, plan_for(verifier)));
    const auto done = show(verify_type::recovery, "", letter_to(email).token, true);
    REQUIRE(done);
    admin("update auth.flow_state set auth_code_issued_at = now() - interval '301 s'");
    const auto late = exchange_code(db, rules, done->auth_code, verifier, {});
    CHECK(reason(late) == "flow_state_expired");
  }

  TEST_CASE_FIXTURE(mail_world, "a link whose flow is gone stays unused") {
    const auto email = member().user.email;
    REQUIRE(request_recovery(db, rules, email, plan_for(verifier)));
    const auto mail = letter_to(email);
    admin("delete from auth.flow_state");
    CHECK(reason(show(verify_type::recovery, "", mail.token, true)) ==
          "flow_state_not_found");
    CHECK(show(verify_type::recovery, email, mail.code)); // as a code it needs none
  }

  TEST_CASE_FIXTURE(mail_world, "without a database every call says unavailable") {
    auto gone = connection{
        {"host=/nonexistent dbname=x", false, std::chrono::seconds{1}}, role::accounts};
    const auto check = [](const auto& answer) {
      REQUIRE_FALSE(answer);
      CHECK(answer.error().code == errc::unavailable);
    };
    check(sign_up_by_mail(gone, rules, {"a@b.example", "secret1", "{}"}, plan));
    check(request_sign_in(gone, rules, {"a@b.example", "{}", true}, plan));
    check(request_recovery(gone, rules, "a@b.example", plan));
    check(resend(gone, rules, "a@b.example", false, plan));
    check(invite(gone, rules, "a@b.example", "{}", plan));
    check(
        redeem(gone, rules, {verify_type::email, "a@b.example", "123456"}, false, {}));
    check(exchange_code(gone, rules, "x", "y", {}));
    check(spend_nonce(gone, rules, user_id::make(), "123456"));
  }

  TEST_CASE_FIXTURE(mail_world,
                    "the sweep takes what is past its use, and nothing else") {
    (void)waiting(fresh_email());
    const auto kept = fresh_email();
    REQUIRE(sign_up_by_mail(db, rules, {kept, "secret1", "{}"}, plan_for(verifier)));
    rules.mail.interval = std::chrono::seconds{60};
    REQUIRE(sweep_mail(db, rules));
    CHECK(number_of("select count(*) from auth.one_time_codes where email = $1",
                    {kept}) == 1);
    CHECK(number_of("select count(*) from auth.mail_times where address = $1",
                    {kept}) == 1);
    CHECK(letters_to(kept) == 1);
    admin("update auth.one_time_codes set expires_at = now() - interval '1 s'");
    admin("update auth.flow_state set created_at = now() - interval '1 day'");
    admin("update auth.mail_times set asked_at = now() - interval '61 s'");
    admin("update auth.mail_outbox set created_at = now() - interval '61 min'");
    REQUIRE(sweep_mail(db, rules));
    CHECK(number_of("select count(*) from auth.one_time_codes") == 0);
    CHECK(number_of("select count(*) from auth.flow_state") == 0);
    CHECK(number_of("select count(*) from auth.mail_times") == 0);
    CHECK(letters_to(kept) == 1); // it was never sent
    admin("update auth.mail_outbox set settled_at = now()");
    REQUIRE(sweep_mail(db, rules));
    CHECK(letters_to(kept) == 0);
  }
}

} // namespace jessica::storage
