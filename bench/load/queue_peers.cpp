#include "bench/load/queue_peers.hpp"

#include "bench/load/json_field.hpp"
#include "bench/load/process.hpp"

#include <chrono>
#include <optional>

namespace jessica::bench {

result<queue_score> run_peer(const settings& how, const queue_database& db,
                             const std::filesystem::path& home, const peer_work& what) {
  constexpr auto patience = std::chrono::minutes{3};
  const auto script = how.peer_scripts / what.script;
  auto peer = process::start(
      {how.node, script.string(), "--socket", db.socket().string(), "--jobs",
       std::to_string(what.jobs), "--batch", std::to_string(what.batch),
       "--connections", std::to_string(what.connections), "--postmaster",
       std::to_string(db.postmaster()), "--warm-up", std::to_string(warm_up_jobs),
       "--enqueue-batch", std::to_string(enqueue_batch)},
      home / (what.script + ".log"), std::nullopt);
  if (!peer)
    return std::unexpected{std::move(peer.error())};
  const auto line = peer->wait_for("\"queue.done\"", patience);
  if (!line)
    return std::unexpected{line.error()};
  const auto enqueued = number_field(*line, "enqueue_us");
  const auto processed = number_field(*line, "process_us");
  const auto cost = number_field(*line, "cost_us");
  const auto faults = number_field(*line, "faults");
  if (!enqueued || !processed || !cost || !faults)
    return fail(errc::unavailable, "the peer told no result: " + *line);
  const auto rate = [&](std::uint64_t micros) {
    return static_cast<double>(what.jobs) * std::micro::den /
           static_cast<double>(micros);
  };
  const auto cost_each = static_cast<double>(*cost) / static_cast<double>(what.jobs);
  return queue_score{rate(*enqueued), rate(*processed), cost_each, *faults};
}

} // namespace jessica::bench
