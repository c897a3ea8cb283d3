#include "app/database.hpp"

#include "ops/log.hpp"
#include "storage/migrate.hpp"

#include <utility>

namespace jessica::app {

storage::cluster_options cluster_options_of(const config::storage_settings& how) {
  auto options = storage::cluster_options{};
  options.directory = std::filesystem::absolute(how.directory / "postgres");
  options.bin_dir = how.bin_dir;
  options.start_timeout = how.start_timeout;
  return options;
}

result<database> database::attach(const config::storage_settings& how) {
  return attach(how, {});
}

result<database> database::attach(const config::storage_settings& how,
                                  const std::function<bool()>& give_up) {
  auto opened = database{};
  if (how.url.empty()) {
    auto options = cluster_options_of(how);
    options.give_up = give_up;
    auto own = storage::cluster::open(std::move(options));
    if (!own)
      return std::unexpected{std::move(own.error())};
    opened.where_ = own->where();
    opened.own_ = std::move(*own);
  } else {
    opened.where_ = {how.url, true, how.connect_timeout};
  }
  opened.where_.connect_timeout = how.connect_timeout;
  return opened;
}

result<database> database::open(const config::storage_settings& how,
                                const std::function<bool()>& give_up) {
  auto opened = attach(how, give_up);
  if (!opened)
    return opened;
  auto migrated = storage::migrate(opened->where_, storage::migrations(),
                                   how.start_timeout, give_up);
  if (!migrated) {
    auto why = std::move(migrated.error());
    if (!how.url.empty())
      why.what += " (the database is storage.url's, --database-url)";
    return std::unexpected{std::move(why)};
  }
  for (const auto& name : migrated->applied)
    ops::info("migration.applied", {{"name", name}});
  return opened;
}

void database::watch() {
  if (!own_ || own_->alive())
    return;
  ops::error("postgres.died", {});
  auto again = own_->restart();
  if (again)
    ops::info("postgres.restarted", {{"pid", own_->postmaster_pid()}});
  else
    ops::error("postgres.restart_failed", {{"cause", again.error().what}});
}

void database::close() {
  if (!own_)
    return;
  if (own_->started_here())
    if (auto stopped = own_->stop(); !stopped)
      ops::error("postgres.stop_failed", {{"cause", stopped.error().what}});
  own_.reset();
}

} // namespace jessica::app
