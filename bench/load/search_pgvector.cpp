#include "bench/load/search_pgvector.hpp"

#include "bench/load/process.hpp"
#include "storage/cluster.hpp"
#include "storage/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <format>
#include <iterator>
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

/// pgvector's own defaults.
constexpr auto links = 16;
constexpr auto effort = 64;

/// With more users a table for each would be many to plan for.
constexpr auto most_tables = std::size_t{200};
/// In the tables of users; a user's is no slower for the others that are left out.
constexpr auto most_in_tables = std::size_t{100'000};

/// The first users, as many as get a table of their own.
std::size_t owners_with_tables(const search_corpus& corpus) {
  if (corpus.owners() > most_tables)
    return 0;
  if (corpus.size() <= most_in_tables)
    return corpus.owners();
  return std::max<std::size_t>(1, corpus.owners() * most_in_tables / corpus.size());
}

/// The numbers of all vectors, a user's one after the other: so they lie together in
/// the table.
std::vector<std::size_t> by_owner(const search_corpus& corpus) {
  auto numbers = std::vector<std::size_t>{};
  for (auto owner = std::size_t{0}; owner < corpus.owners(); ++owner)
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
  const auto all = by_owner(corpus);
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
  auto sql = std::string{"select 'tables';"};
  for (auto owner = std::size_t{0}; owner < owners; ++owner)
    sql += std::format(
        "create unlogged table texts_{0} (like texts including storage);"
        "insert into texts_{0} select * from texts where owner = {0};"
        "create index on texts_{0} using hnsw (v vector_ip_ops) with (m = {1}, "
        "ef_construction = {2});",
        owner, links, effort);
  return sql;
}

/// By psql: to build an index may take longer than a connection of ours waits. One
/// graph of all that takes longer than it may is left out.
result<void> index(const storage::cluster& on, const search_corpus& corpus,
                   std::chrono::minutes graph_limit,
                   const std::filesystem::path& home) {
  constexpr auto the_rest = std::chrono::minutes{30};
  const auto graph =
      std::format("create index texts_graph on texts using hnsw (v vector_ip_ops) "
                  "with (m = {}, ef_construction = {})",
                  links, effort);
  auto psql = process::start(
      {"psql", "-d", on.where().conninfo + " user=postgres", "-c",
       "create index on texts (owner)", "-c", tables(owners_with_tables(corpus)), "-c",
       std::format("set statement_timeout = '{}min'", graph_limit.count()), "-c",
       graph_limit.count() > 0 ? graph : "select 'no graph'", "-c",
       "set statement_timeout = 0", "-c", "vacuum analyze", "-c", "\\echo indexed"},
      home / "psql.log", std::nullopt);
  if (!psql)
    return std::unexpected{std::move(psql.error())};
  return psql->wait_for("indexed", graph_limit + the_rest)
      .transform([](const std::string&) {});
}

result<bool> has_graph(const storage::cluster& on) {
  auto session = connect(on);
  return session
      .run(storage::statement{"select to_regclass('texts_graph') is not null", {}})
      .transform([](const auto& found) { return found.text(0, 0) == "t"; });
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

struct recipe {
  std::string way;
  std::vector<std::string> settings;
  std::string sql;
};

/// Each way is a session of its own, with its settings.
result<search_contender> prepare(const std::shared_ptr<storage::cluster>& on,
                                 const recipe& how, std::string name,
                                 std::size_t vectors) {
  const auto session = std::make_shared<storage::connection>(connect(*on));
  for (const auto& setting : how.settings)
    if (auto set = run(*session, {{setting, {}}}); !set)
      return std::unexpected{std::move(set.error())};
  const auto answer = [on, session, sql = how.sql](const auto& asked) {
    return ask(*session, sql, asked);
  };
  return search_contender{std::move(name), how.way, answer, vectors};
}

std::vector<recipe> with_tables() {
  auto all = std::vector<recipe>{};
  for (const auto ef : {20, 40, 80, 160})
    all.push_back({std::format("a table with hnsw for each user, ef_search {}", ef),
                   {"set enable_seqscan = off", "set enable_sort = off",
                    std::format("set hnsw.ef_search = {}", ef)},
                   "select n from texts_{} where owner = $2::int "
                   "order by v <#> $1::vector limit 10"});
  return all;
}

/// The graph goes on until enough of the user's are found; or a sort of all that are
/// the user's, from which adding 0 keeps the planner's graph away.
std::vector<recipe> with_filter(bool graph) {
  auto all = std::vector<recipe>{
      {graph ? "one table, index on the user, then a sort"
             : "one table, index on the user, then a sort; no graph of all was made",
       {},
       "select n from texts where owner = $2::int "
       "order by (v <#> $1::vector) + 0 limit 10"}};
  for (const auto* const order : {"strict_order", "relaxed_order"})
    for (const auto ef : {20, 40, 100, 200, 400, 800})
      if (graph)
        all.push_back(
            {std::format("one table with hnsw, iterative scan in {}, ef_search {}",
                         order, ef),
             {"set enable_sort = off", "set hnsw.max_scan_tuples = 1000000",
              std::format("set hnsw.iterative_scan = {}", order),
              std::format("set hnsw.ef_search = {}", ef)},
             "select n from texts where owner = $2::int "
             "order by v <#> $1::vector limit 10"});
  return all;
}

/// The best of the recipes; it is asked of the first `owners` users.
result<pgvector_form> best_of(const std::shared_ptr<storage::cluster>& on,
                              const std::vector<recipe>& recipes,
                              const std::string& name, const search_corpus& corpus,
                              std::size_t owners,
                              std::span<const search_corpus::question> questions) {
  auto form = pgvector_form{};
  std::ranges::copy_if(questions, std::back_inserter(form.asked),
                       [&](const auto& one) { return one.owner < owners; });
  auto ways = std::vector<search_contender>{};
  for (const auto& one : recipes) {
    auto made = prepare(on, one, name, corpus.size() * owners / corpus.owners());
    if (!made)
      return std::unexpected{std::move(made.error())};
    ways.push_back(std::move(*made));
  }
  return choose_way(std::move(ways), form.asked).transform([&](auto best) {
    form.who = std::move(best);
    return std::move(form);
  });
}

/// With room for the links of all vectors while the graph is built.
storage::cluster_options options_for(const search_corpus& corpus,
                                     const std::filesystem::path& home) {
  constexpr auto a_vector = std::size_t{3'200};
  auto options = storage::cluster_options{};
  options.directory = home / "pgvector";
  options.with_cron = false;
  options.settings = {"shared_buffers = '4GB'",
                      std::format("maintenance_work_mem = '{}MB'",
                                  512 + corpus.size() * a_vector / 1'000'000),
                      "max_wal_size = '4GB'", "jit = off"};
  return options;
}

} // namespace

result<std::vector<pgvector_form>>
open_pgvector(const search_corpus& corpus,
              std::span<const search_corpus::question> questions,
              std::chrono::minutes graph_limit, const std::filesystem::path& home) {
  auto cluster = storage::cluster::open(options_for(corpus, home));
  if (!cluster)
    return std::unexpected{std::move(cluster.error())};
  const auto on = std::make_shared<storage::cluster>(std::move(*cluster));
  const auto graph =
      load(connect(*on), corpus)
          .and_then([&] { return index(*on, corpus, graph_limit, home); })
          .and_then([&] { return has_graph(*on); });
  if (!graph)
    return std::unexpected{graph.error()};
  auto forms = std::vector<pgvector_form>{};
  const auto enter = [&](const std::vector<recipe>& recipes, const std::string& name,
                         std::size_t owners) {
    return best_of(on, recipes, name, corpus, owners, questions)
        .transform([&](pgvector_form one) { forms.push_back(std::move(one)); });
  };
  auto entered = enter(with_filter(*graph), "pgvector, user filter", corpus.owners());
  if (const auto owners = owners_with_tables(corpus); entered && owners > 0)
    entered = enter(with_tables(), "pgvector, user tables", owners);
  if (!entered)
    return std::unexpected{std::move(entered.error())};
  return forms;
}

} // namespace jessica::bench
