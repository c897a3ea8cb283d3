// What is known of each reply of a conversation: which attempt, up to which token, which
// text. Pure bookkeeping over the numbered reply events; no network, no page.

/** @typedef {'pending' | 'streaming' | 'complete' | 'error' | 'cancelled'} ReplyStatus */

/**
 * @typedef {object} UsedMemory
 * @property {string} message_id
 * @property {string} conversation_id
 * @property {number} score
 * @property {string} excerpt
 */

/**
 * @typedef {object} UsedTool
 * @property {string} id      of the call
 * @property {string} name
 * @property {'running' | 'done' | 'failed'} status
 */

/**
 * @typedef {object} Reply
 * @property {string} id        id of the reply's message row
 * @property {number} attempt   0 while no event has named one
 * @property {number} seq       last token seen of this attempt
 * @property {string} text      the text so far
 * @property {ReplyStatus} status
 * @property {string} [error]   shown to the reader when status is 'error'
 * @property {string} [finish_reason]  'length': it may be continued
 * @property {UsedMemory[]} [memories]  what was said earlier and given to the engine
 * @property {UsedTool[]} [tools]  that it called, in their order
 */

const final = new Set(['complete', 'error', 'cancelled']);
/** A reply that ended is tried again, or goes on; whoever was away is told by a snapshot. */
const reopening = new Set(['reply.reset', 'reply.snapshot']);
const ends = {
  'reply.completed': 'complete',
  'reply.failed': 'error',
  'reply.cancelled': 'cancelled',
};

/** The names of all reply events, as broadcast on `conversation:<uuid>`. */
export const replyEvents = [
  'reply.started',
  'reply.delta',
  'reply.snapshot',
  'reply.reset',
  'reply.tool',
  ...Object.keys(ends),
];

/** @param {ReplyStatus} status */
export const isFinal = (status) => final.has(status);

export class ReplyBook {
  /** @type {Map<string, Reply>} */
  #replies = new Map();

  /** @param {string} id @returns {Reply | undefined} */
  find(id) {
    return this.#replies.get(id);
  }

  /**
   * Takes one event. 'changed': the reply differs now. 'stale': nothing new. 'gap': tokens
   * are missing, join again to get a snapshot; the book is unchanged.
   * @param {string} event
   * @param {any} payload
   * @returns {'changed' | 'stale' | 'gap'}
   */
  apply(event, payload) {
    const known = this.#replies.get(payload.id) ?? blank(payload.id);
    if (payload.attempt < known.attempt) return 'stale';
    const isNew = payload.attempt > known.attempt;
    if (isFinal(known.status) && !(isNew && reopening.has(event))) return 'stale';
    // A new attempt starts from nothing, whichever of its events arrives first.
    const from = isNew
      ? { ...withoutTools(known), attempt: payload.attempt, seq: 0, text: '', status: 'streaming' }
      : known;
    const [verdict, next] = step(event, payload, from, isNew);
    if (verdict === 'changed') this.#replies.set(payload.id, next);
    return verdict;
  }

  /**
   * Takes a stored row and returns the reply it belongs to. A finished row is the truth; a
   * running one says less than the events have said already.
   * @param {{id: string, status: ReplyStatus, content: string, error?: any}} row
   * @returns {Reply}
   */
  adopt(row) {
    const known = this.#replies.get(row.id);
    if (known && !isFinal(row.status)) return known;
    const tools = toolsOf(row);
    const reply = {
      ...(known ?? blank(row.id)),
      text: row.content,
      status: row.status,
      error: row.error?.message,
      ...(tools ? { tools } : {}),
    };
    this.#replies.set(row.id, reply);
    return reply;
  }
}

/** The tools that a stored reply called. @returns {UsedTool[] | undefined} */
export function toolsOf(row) {
  return row.tools?.map(({ id, name, failed }) => ({ id, name, status: failed ? 'failed' : 'done' }));
}

/** @returns {Reply} */
function blank(id) {
  return { id, attempt: 0, seq: 0, text: '', status: 'pending' };
}

/** One event against the reply's state at its attempt. */
function step(event, payload, from, isNew) {
  switch (event) {
    case 'reply.started':
      return isNew || from.status === 'pending'
        ? ['changed', { ...from, status: 'streaming', memories: payload.memories ?? [] }]
        : ['stale', from];
    case 'reply.delta':
      if (payload.seq <= from.seq) return ['stale', from];
      if (payload.first_seq !== from.seq + 1) return ['gap', from];
      return ['changed', grown(from, from.text + payload.text, payload.seq)];
    case 'reply.snapshot':
      if (!isNew && payload.seq < from.seq) return ['stale', from];
      return [
        'changed',
        { ...grown(from, payload.text, payload.seq), memories: payload.memories ?? from.memories },
      ];
    case 'reply.reset':
      return [
        'changed',
        { ...withoutTools(from), seq: 0, text: '', status: 'streaming', error: undefined },
      ];
    case 'reply.tool':
      return ['changed', { ...from, tools: used(from.tools ?? [], payload) }];
    default:
      return finished(event, payload, from);
  }
}

/** What an older attempt called is called again. */
function withoutTools({ tools, ...reply }) {
  return reply;
}

/** A call is told when it begins and when it has ended. */
function used(tools, { call_id: id, name, status }) {
  const tool = { id, name, status };
  return tools.some((one) => one.id === id)
    ? tools.map((one) => (one.id === id ? tool : one))
    : [...tools, tool];
}

function grown(from, text, seq) {
  return { ...from, text, seq, status: 'streaming' };
}

/** The last event of an attempt says how many tokens there were. */
function finished(event, payload, from) {
  const status = ends[event];
  if (!status) return ['stale', from];
  if (payload.seq !== undefined && payload.seq !== from.seq) return ['gap', from];
  const reason = payload.finish_reason && { finish_reason: payload.finish_reason };
  return ['changed', { ...from, status, error: payload.error?.message, ...reason }];
}
