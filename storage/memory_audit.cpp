#include "storage/memory_audit.hpp"

#include <array>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto one_moment =
    std::string_view{"set transaction isolation level repeatable read, read only"};

constexpr auto counts = std::string_view{R"(
  select pg_current_wal_lsn(), m.id, m.name, m.dim,
    coalesce((select x.complete from public.embedding_models x where x.id = m.id), false),
    (select count(*) from public.messages t where jessica.has_text(t.status, t.content)),
    (select count(*) from jessica.unembedded),
    (select count(*) from public.embeddings e where e.model_id = m.id)
  from (select 1) one left join jessica.searched_model() m on true)"};

/// A row of each fault: its name, and the id that breaks the promise.
constexpr auto faults = std::string_view{R"(
  with searched as (select * from jessica.searched_model()),
  waiting as (
    select w.message_id from jessica.unembedded w
    union
    select j.message_id from public.inference_jobs j
    where j.kind = 'embedding' and j.status in ('queued', 'running', 'dead')),
  found as (
    select 'messages without an embedding and without work for one' fault, m.id::text id
    from public.messages m, searched s
    where (select x.complete from public.embedding_models x where x.id = s.id)
      and jessica.has_text(m.status, m.content)
      and not exists (
        select from public.embeddings e where e.message_id = m.id and e.model_id = s.id)
      and not exists (select from waiting w where w.message_id = m.id)
    union all
    select 'embeddings of an older text than the message''s', e.id::text
    from public.embeddings e join public.messages m on m.id = e.message_id
    where e.version <> m.version
      and not exists (select from waiting w where w.message_id = m.id)
    union all
    select 'embeddings of another size than their model''s', e.id::text
    from public.embeddings e join public.embedding_models x on x.id = e.model_id
    where e.dim <> x.dim
    union all
    select 'embeddings whose length is not 1', e.id::text
    from public.embeddings e
    where not (abs(extensions.vector_norm(e.embedding) - 1) < 0.01)
    union all
    select 'embeddings that name another conversation, author or time than the message',
      e.id::text
    from public.embeddings e join public.messages m on m.id = e.message_id
    where e.version = m.version
      and (e.conversation_id <> m.conversation_id or e.role <> m.role
        or e.said_at <> m.created_at))
  select fault, count(*), array_to_string((array_agg(id order by id))[1:5], ', ')
  from found group by fault order by fault)"};

} // namespace

result<memory_audit> audit_memory(connection& db) {
  const auto all = std::array{statement{std::string{one_moment}, {}},
                              statement{std::string{counts}, {}},
                              statement{std::string{faults}, {}}};
  const auto got = db.run(all);
  if (!got)
    return std::unexpected{got.error()};
  const auto& row = got->at(1);
  auto audit = memory_audit{};
  audit.position = lsn::parse(row.text(0, 0)).value_or(lsn{});
  if (!row.null(0, 1))
    audit.model = memory_model{static_cast<std::int16_t>(row.integer(0, 1)),
                               std::string{row.text(0, 2)},
                               static_cast<std::size_t>(row.integer(0, 3))};
  audit.filled = row.text(0, 4) == "t";
  audit.messages = row.integer(0, 5);
  audit.waiting = row.integer(0, 6);
  audit.embeddings = row.integer(0, 7);
  const auto& found = got->at(2);
  for (auto i = 0; i < found.size(); ++i)
    audit.faults.push_back({std::string{found.text(i, 0)}, found.integer(i, 1),
                            std::string{found.text(i, 2)}});
  return audit;
}

} // namespace jessica::storage
