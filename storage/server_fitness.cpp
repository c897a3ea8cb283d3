#include "storage/server_fitness.hpp"

#include "storage/guarded.hpp"

#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/row>

#include <format>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto oldest = 17; // for what a hosted project would have brought
constexpr auto question = std::string_view{R"(
select current_setting('server_version_num')::int / 10000,
  not rolsuper and to_regclass('auth.users') is not null,
  exists (select from pg_available_extensions where name = 'vector')
from pg_roles where rolname = current_user)"};

} // namespace

result<server_facts> look_at(pqxx::connection& db) {
  return guarded([&] {
    auto alone = pqxx::nontransaction{db};
    const auto row = alone.exec(question).one_row();
    return server_facts{row[0].as<int>(), row[1].as<bool>(), row[2].as<bool>()};
  });
}

result<void> check_fitness(const server_facts& of) {
  if (!of.hosted && of.major < oldest) {
    return fail(errc::invalid_input,
                std::format("the database is PostgreSQL {}, which is too old: {} or "
                            "newer is needed",
                            of.major, oldest));
  }
  if (!of.has_vector) {
    return fail(errc::invalid_input,
                std::format("the database's PostgreSQL has no pgvector: install the "
                            "package postgresql-{}-pgvector where it runs",
                            of.major));
  }
  return {};
}

} // namespace jessica::storage
