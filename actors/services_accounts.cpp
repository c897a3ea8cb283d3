#include "actors/accounts.hpp"
#include "actors/codes.hpp"
#include "actors/mailer.hpp"
#include "actors/services.hpp"

#include <functional>
#include <utility>

namespace jessica::actors {
namespace {

using open_sender = std::function<std::unique_ptr<mail::sender>()>;

[[nodiscard]] open_sender sender_of(const system_options& options,
                                    std::shared_ptr<std::atomic<bool>> ends) {
  const auto& how = options.settings.mail;
  if (options.settings.auth.mail_mode == "smtp")
    return [how, ends = std::move(ends)] { return mail::make_smtp(how, ends); };
  return [folder = options.settings.storage.directory / "mail",
          files = how.sink_files] { return mail::make_sink(folder, files); };
}

[[nodiscard]] mail_desk_ptr start_mail(service_roll& roll,
                                       const system_options& options,
                                       const std::shared_ptr<std::atomic<bool>>& ends) {
  if (options.settings.auth.mail_mode == "none")
    return nullptr;
  const auto rules =
      storage::mail_rules{options.settings.auth, options.settings.mail,
                          storage::code_key::derive(options.credentials.jwt_secret)};
  const auto how = std::make_shared<const mailer_options>(options.database, rules,
                                                          sender_of(options, ends));
  return std::make_shared<const mail_desk>(rules, roll.threaded("MAILER", mailer, how));
}

} // namespace

account_services start_accounts(service_roll& roll, const system_options& options,
                                const std::shared_ptr<std::atomic<bool>>& mail_ends) {
  const auto& limits = options.settings.auth;
  const auto desk = start_mail(roll, options, mail_ends);
  auto made = account_services{};
  if (desk)
    made.codes = roll.pooled("CODES", limits.session_threads, limits.session_queue,
                             code_worker, options.database, desk);
  const auto slow = roll.pooled("sign-in lane", limits.hash_threads, limits.hash_queue,
                                hashing_account_worker, options.database, limits, desk);
  const auto quick =
      roll.pooled("session lane", limits.session_threads, limits.session_queue,
                  account_worker, options.database, limits, desk);
  made.accounts = roll.scheduled("ACCOUNTS", accounts, slow, quick);
  return made;
}

} // namespace jessica::actors
