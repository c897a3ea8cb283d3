// How the threads of one process share its cores.
#pragma once

namespace jessica::ops {

/// From now on the calling thread runs only on what the others leave, when cores are
/// short; for work that is long and whose asker waits anyway. Where the system does not
/// allow it the thread goes on as before. Linux: the nice value of this thread alone.
void give_way() noexcept;

} // namespace jessica::ops
