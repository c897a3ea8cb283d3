// How long a reply stands still when its node dies, seen from the database and by a reader.
import { second, until } from '../../e2e/harness/waiting.mjs';

export const takeoverLimit = 60 * second;

/** What starts at most this many ms after a kill was promised (design: section 12). */
export const promisedTakeover = 12 * second;

/** Waits for `count` deltas of a reply at a listener. */
export async function streaming(listener, replyId, count = 3) {
  await listener.hears(
    `${count} deltas of reply ${replyId}`,
    ({ event, payload }) =>
      event === 'reply.delta' && payload.id === replyId && payload.seq >= count,
  );
}

/** The `reply.started` of a later attempt than `attempt`. */
export function nextAttempt(listener, replyId, attempt = 1) {
  return listener.hears(
    `another attempt of reply ${replyId}`,
    ({ event, payload }) =>
      event === 'reply.started' && payload.id === replyId && payload.attempt > attempt,
    takeoverLimit,
  );
}

/** Resolves, with the time, when another lease than `dead` runs the job, or it is done. */
export async function takenOver(cluster, jobId, dead) {
  const eye = await cluster.connect();
  try {
    await until(
      `job ${jobId} is taken over`,
      () =>
        eye.value(
          `select 1 where exists (
             select from jessica.running where id = ${jobId} and lease <> ${dead}
           ) or exists (
             select from public.inference_jobs where id = ${jobId} and status = 'done')`,
        ),
      takeoverLimit,
      10,
    );
    return Date.now();
  } finally {
    await eye.end();
  }
}

export const leaseOf = (cluster, jobId) =>
  cluster.value(`select lease from jessica.running where id = ${jobId}`);

/** Least, middle and most of some times in ms, as one line. */
export function distribution(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return (
    `n ${sorted.length}, min ${at(0)}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, ` +
    `max ${sorted.at(-1)} ms`
  );
}
