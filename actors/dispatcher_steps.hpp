// The steps DISPATCHER takes with its lease and its jobs, shared by its sources.
#pragma once

#include "actors/dispatcher.hpp"

namespace jessica::actors::dispatcher_steps {

using self_pointer = dispatcher_actor::stateful_pointer<dispatcher_state>;

/// Renews the lease and looks for jobs, now and once a heartbeat from now on.
void beat_now(self_pointer self);
/// What can be claimed: as many as there are free slots, and at most `max`.
[[nodiscard]] storage::claim_wish wish_of(const dispatcher_state& state,
                                          std::size_t max);
/// Claims as many as there are free slots; once more when asked meanwhile.
void look_for_jobs(self_pointer self);
/// Hands back jobs that the database says we hold and we have not known of for two
/// looks: the answer that brought them was lost with a connection.
void look_for_strays(self_pointer self);
/// PERSISTENCE leases new jobs to us only while we can run them and nobody waits in the
/// queue before them; those we have are finished under the lease all the same.
void announce_lease(self_pointer self);

void start_or_wait(self_pointer self, job what);
/// Gives free slots to those who wait.
void start_waiting(self_pointer self);
/// Stops a job if it is here, or will be.
void stop_here(self_pointer self, job_id which);
/// Ends every job without a word to the database.
void end_all(self_pointer self);
void show_running(const dispatcher_state& state);

} // namespace jessica::actors::dispatcher_steps
