#include "bench/load/search_pgvector.hpp"

#include "bench/load/process.hpp"
#include "storage/cluster.hpp"
#include "storage/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <format>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

storage::connection connect(const storage::cluster& to) {
  return {to.where(), storage::role::migrations};
}

std::string text_of(std::span<const float> vector) {
  auto text = std::string{"["};
  for (const auto x : vector) {
    auto digits = std::array<char, 24>{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x).ptr;
    text.append(digits.data(), end);
    text += ',';
  }
  text.back() = ']';
  return text;
}

result<void> run(storage::connection& on, std::vector<storage::statement> statements) {
  return on.run(std::span{statements}).transform([](const auto&) {});
}

/// With more users a table for each would be many to plan for.
constexpr auto most_tables = std::size_t{200};

/// The numbers of all vectors that it holds, a user's one after the other: so they lie
/// together in the table.
std::vector<std::size_t> held(const search_corpus& corpus) {
  auto numbers = std::vector<std::size_t>{};
  for (auto owner = std::size_t{0}; owner < owners_in_pgvector(corpus); ++owner)
    for (auto n = owner; n < corpus.size(); n += corpus.owners())
      numbers.push_back(n);
  return numbers;
}

/// The vectors lie in the row: out of line, each would cost a second look-up.
result<void> load(storage::connection on, const search_corpus& corpus) {
  constexpr auto batch = std::size_t{500};
  auto made =
      run(on, {{"create extension if not exists vector", {}},
               {"create unlogged table texts (n int not null, owner int not null, "
                "v vector(512) not null)",
                {}},
               {"alter table texts alter v set storage plain", {}}});
  const auto all = held(corpus);
  for (auto first = std::size_t{0}; first < all.size() && made; first += batch) {
    auto numbers = std::vector<storage::parameter>{};
    auto owners = std::vector<storage::parameter>{};
    auto vectors = std::vector<storage::parameter>{};
    for (const auto n :
         std::span{all}.subspan(first, std::min(batch, all.size() - first))) {
      numbers.emplace_back(std::to_string(n));
      owners.emplace_back(std::to_string(n % corpus.owners()));
      vectors.emplace_back(text_of(corpus.vector(n)));
    }
    made = run(on, {{"insert into texts select a, b, c::vector from "
                     "unnest($1::int[], $2::int[], $3::text[]) t (a, b, c)",
                     {storage::array_literal(numbers), storage::array_literal(owners),
                      storage::array_literal(vectors)}}});
  }
  return made;
}

/// A table for each user, as a partition would be.
std::string tables(std::size_t owners) {
  auto sql = std::string{};
  for (auto owner = std::size_t{0}; owner < owners; ++owner)
    sql += std::format(
        "create unlogged table texts_{0} (like texts including storage);"
        "insert into texts_{0} select * from texts where owner = {0};"
        "create index on texts_{0} using hnsw (v vector_ip_ops) with (m = 16, "
        "ef_construction = 64);",
        owner);
  return sql;
}

/// By psql: to build an index may take longer than a connection of ours waits.
result<void> index(const storage::cluster& on, const search_corpus& corpus,
                   const std::filesystem::path& home) {
  constexpr auto limit = std::chrono::minutes{30};
  auto psql = process::start(
      {"psql", "-d", on.where().conninfo + " user=postgres", "-c",
       "create index on texts (owner)", "-c",
       "create index on texts using hnsw (v vector_ip_ops) with (m = 16, "
       "ef_construction = 64)",
       "-c",
       owners_in_pgvector(corpus) <= most_tables ? tables(owners_in_pgvector(corpus))
                                                 : "select 1",
       "-c", "vacuum analyze", "-c", "\\echo indexed"},
      home / "psql.log", std::nullopt);
  if (!psql)
    return std::unexpected{std::move(psql.error())};
  return psql->wait_for("indexed", limit).transform([](const std::string&) {});
}

/// `sql` may name the user's table with a {}.
result<std::vector<std::uint32_t>> ask(storage::connection& on, const std::string& sql,
                                       const search_corpus::question& asked) {
  const auto found =
      on.run(storage::statement{std::vformat(sql, std::make_format_args(asked.owner)),
                                {text_of(asked.vector), std::to_string(asked.owner)}});
  if (!found)
    return std::unexpected{found.error()};
  auto numbers = std::vector<std::uint32_t>{};
  for (auto row = 0; row < found->size(); ++row)
    numbers.push_back(static_cast<std::uint32_t>(found->integer(row, 0)));
  return numbers;
}

/// Each way is a session of its own, with its settings.
result<search_contender> way(const std::shared_ptr<storage::cluster>& on,
                             std::string name, const std::vector<std::string>& settings,
                             const std::string& sql, std::size_t vectors) {
  const auto session = std::make_shared<storage::connection>(connect(*on));
  for (const auto& setting : settings)
    if (auto set = run(*session, {{setting, {}}}); !set)
      return std::unexpected{std::move(set.error())};
  const auto answer = [on, session, sql](const search_corpus::question& asked) {
    return ask(*session, sql, asked);
  };
  return search_contender{"pgvector", std::move(name), answer, vectors};
}

result<std::vector<search_contender>>
ways_of(const std::shared_ptr<storage::cluster>& on, std::size_t owners,
        std::size_t vectors) {
  auto made = std::vector<result<search_contender>>{};
  for (const auto ef : {20, 40, 80, 160})
    if (owners <= most_tables)
      made.push_back(
          way(on, std::format("a table with hnsw for each user, ef_search {}", ef),
              {"set enable_seqscan = off", "set enable_sort = off",
               std::format("set hnsw.ef_search = {}", ef)},
              "select n from texts_{} where owner = $2::int "
              "order by v <#> $1::vector limit 10",
              vectors));
  for (const auto ef : {40, 100, 200, 400, 800})
    made.push_back(
        way(on, std::format("hnsw, iterative scan, ef_search {}", ef),
            {"set enable_sort = off", "set hnsw.iterative_scan = strict_order",
             "set hnsw.max_scan_tuples = 1000000",
             std::format("set hnsw.ef_search = {}", ef)},
            "select n from texts where owner = $2::int "
            "order by v <#> $1::vector limit 10",
            vectors));
  // Adding 0 keeps the planner from the graph.
  made.push_back(way(on, "index on the user, then a sort", {},
                     "select n from texts where owner = $2::int "
                     "order by (v <#> $1::vector) + 0 limit 10",
                     vectors));
  auto ways = std::vector<search_contender>{};
  for (auto& one : made) {
    if (!one)
      return std::unexpected{std::move(one.error())};
    ways.push_back(std::move(*one));
  }
  return ways;
}

} // namespace

std::size_t owners_in_pgvector(const search_corpus& corpus) noexcept {
  if (corpus.size() <= most_in_pgvector)
    return corpus.owners();
  return std::max<std::size_t>(1, corpus.owners() * most_in_pgvector / corpus.size());
}

result<search_contender>
open_pgvector(const search_corpus& corpus,
              std::span<const search_corpus::question> questions,
              const std::filesystem::path& home) {
  auto options = storage::cluster_options{};
  options.directory = home / "pgvector";
  options.with_cron = false;
  options.settings = {"shared_buffers = '1GB'", "maintenance_work_mem = '1GB'",
                      "max_wal_size = '4GB'", "jit = off"};
  auto cluster = storage::cluster::open(options);
  if (!cluster)
    return std::unexpected{std::move(cluster.error())};
  const auto on = std::make_shared<storage::cluster>(std::move(*cluster));
  auto ready =
      load(connect(*on), corpus).and_then([&] { return index(*on, corpus, home); });
  if (!ready)
    return std::unexpected{std::move(ready.error())};
  auto ways = ways_of(on, owners_in_pgvector(corpus), held(corpus).size());
  if (!ways)
    return std::unexpected{std::move(ways.error())};
  return choose_way(std::move(*ways), questions);
}

} // namespace jessica::bench
