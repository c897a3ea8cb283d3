// The arithmetic of the reply stream, checked strictly: every token once, in order.
import assert from 'node:assert/strict';
import { patience } from './waiting.mjs';

const ends = new Set(['reply.completed', 'reply.failed', 'reply.cancelled']);

/** Waits for the end of a reply and gives that event. */
export function replyEnd(events, replyId, limit = patience) {
  return events.find(
    `the end of reply ${replyId}`,
    ({ event, payload }) => ends.has(event) && payload.id === replyId,
    { limit },
  );
}

/** Waits until `count` deltas of a reply have come; gives the last of them. */
export function replyDeltas(events, replyId, count, limit = patience) {
  let seen = 0;
  return events.find(
    `${count} deltas of reply ${replyId}`,
    ({ event, payload }) =>
      event === 'reply.delta' && payload.id === replyId && ++seen === count,
    { limit },
  );
}

/**
 * Puts the events of one reply together as a listener sees them. Fails on a gap, a token
 * twice, an event of an older attempt, a new attempt without reset, or text after the end.
 */
export function assemble(events, replyId) {
  const reply = { attempt: 0, seq: 0, text: '', end: null, snapshots: 0, resets: 0, deltas: 0 };
  for (const { event, payload } of events.items) {
    if (payload?.id !== replyId) continue;
    assert.equal(reply.end, null, `${event} after ${reply.end}`);
    take[event]?.(reply, payload) ?? assert.fail(`unknown event ${event}`);
  }
  return reply;
}

function sameAttempt(reply, payload) {
  assert.equal(payload.attempt, reply.attempt, 'attempt');
}

const take = {
  'reply.started': (reply, payload) => {
    if (reply.attempt === 0) reply.attempt = payload.attempt;
    sameAttempt(reply, payload);
    assert.equal(reply.seq, 0, 'tokens before reply.started');
    return true;
  },
  'reply.snapshot': (reply, payload) => {
    if (reply.attempt !== 0) sameAttempt(reply, payload);
    Object.assign(reply, { attempt: payload.attempt, seq: payload.seq, text: payload.text });
    reply.snapshots += 1;
    return true;
  },
  'reply.model': (reply, payload) => {
    sameAttempt(reply, payload);
    assert.equal(reply.seq, 0, 'tokens before reply.model');
    return true;
  },
  'reply.reasoning': (reply, payload) => {
    sameAttempt(reply, payload);
    return true;
  },
  'reply.delta': (reply, payload) => {
    sameAttempt(reply, payload);
    assert.equal(payload.first_seq, reply.seq + 1, 'first_seq follows the last seq');
    assert.ok(payload.seq >= payload.first_seq, 'a delta has at least one token');
    assert.ok(payload.text.length > 0, 'a delta has text');
    reply.seq = payload.seq;
    reply.text += payload.text;
    reply.deltas += 1;
    return true;
  },
  'reply.reset': (reply, payload) => {
    assert.ok(payload.attempt > reply.attempt, 'a reset begins a new attempt');
    Object.assign(reply, { attempt: payload.attempt, seq: 0, text: '' });
    reply.resets += 1;
    return true;
  },
  'reply.tool': (reply, payload) => {
    sameAttempt(reply, payload);
    return true;
  },
  'reply.completed': finish('completed'),
  'reply.failed': finish('failed'),
  'reply.cancelled': finish('cancelled'),
};

function finish(end) {
  return (reply, payload) => {
    sameAttempt(reply, payload);
    assert.equal(payload.seq, reply.seq, `reply.${end} names the last token`);
    reply.end = end;
    return true;
  };
}
