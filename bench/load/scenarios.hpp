// The scenarios. Each starts its servers on a fresh database, runs its rounds and
// leaves nothing behind. docs/benchmarks.md says what the numbers mean.
#pragma once

#include "bench/load/report.hpp"
#include "bench/load/settings.hpp"

namespace jessica::bench {

/// Sessions that send and wait for the whole reply, again and again.
[[nodiscard]] result<findings> run_chat(const settings& how);
/// Sockets that send as soon as the previous message is stored.
[[nodiscard]] result<findings> run_sends(const settings& how);
/// Connections that only hold their private channel.
[[nodiscard]] result<findings> run_idle(const settings& how);
/// All connections break at once, and everybody joins again.
[[nodiscard]] result<findings> run_rejoin(const settings& how);
/// One sender, many members of a public topic; beside the peers.
[[nodiscard]] result<findings> run_fanout(const settings& how);
/// Clients whose broadcast comes back to themselves; beside the peers.
[[nodiscard]] result<findings> run_echo(const settings& how);
/// Rows under row security, from their commit to everybody who may see them.
[[nodiscard]] result<findings> run_changes(const settings& how);
/// From an acknowledged commit to its event out of the change feed, without a server.
[[nodiscard]] result<findings> run_feed(const settings& how);
/// The job queue alone, without a server; beside graphile-worker and pg-boss.
[[nodiscard]] result<findings> run_queue(const settings& how);
/// What it costs a thread to verify tokens, without a server.
[[nodiscard]] result<findings> run_tokens(const settings& how);
/// Rows read by key and inserted over REST; beside the bare statements.
[[nodiscard]] result<findings> run_rest(const settings& how);
/// The client of language models alone, with a provider in a process of its own.
[[nodiscard]] result<findings> run_engine(const settings& how);
/// Completions through the server, as tools that speak OpenAI ask for them; beside the
/// same questions put to the provider itself.
[[nodiscard]] result<findings> run_gateway(const settings& how);
/// Streams at a steady pace while a crowd signs in by password, and without it.
[[nodiscard]] result<findings> run_signins(const settings& asked);
/// Nearest vectors of one user by the index alone, without a server; beside pgvector
/// and hnswlib.
[[nodiscard]] result<findings> run_search(const settings& how);
/// Texts to vectors on one thread, float and int8 weights, without a server.
[[nodiscard]] result<findings> run_embedding(const settings& how);
/// Whether messages are found by their meaning: by vectors alone, without a server, and
/// by a server's searches, with words and without.
[[nodiscard]] result<findings> run_retrieval(const settings& how);
/// From a message that is stored to a search that finds it, by a server.
[[nodiscard]] result<findings> run_searchable(const settings& how);

} // namespace jessica::bench
