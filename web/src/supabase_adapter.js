// Jessica's chat for any frontend, on the unmodified supabase-js client: send a message,
// follow a conversation. Works in browsers and in Node. Beside this file only
// reply_book.js is needed.

import {
  FunctionsFetchError,
  FunctionsHttpError,
  FunctionsRelayError,
  createClient,
} from '@supabase/supabase-js';
import { ReplyBook, isFinal, replyEvents, toolsOf } from './reply_book.js';

const messageColumns = 'id,seq,role,status,content,reply_to,client_id,error,usage,tools,created_at,siblings';
/** Rows of one read; the server itself gives at most 1000. */
const pageSize = 200;
/** Pauses before trying again, in ms; the last one repeats. */
const pauses = [500, 1000, 2000, 5000];
/** A channel that is refused this often in a row is not ours: give up. */
const maxRefusals = 3;

/** @typedef {import('@supabase/supabase-js').SupabaseClient} SupabaseClient */
/** @typedef {import('./reply_book.js').Reply} Reply */

/**
 * @typedef {object} Receipt
 * @property {string} conversation_id
 * @property {string} message_id  the stored message
 * @property {string} reply_id    the message the reply will be stored in
 * @property {string | number} job_id
 * @property {string} topic       the private channel the reply is streamed on
 */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {number} seq         order within the conversation
 * @property {'user' | 'assistant' | 'system' | 'tool'} role
 * @property {import('./reply_book.js').ReplyStatus} status
 * @property {string} text
 * @property {string | null} client_id
 * @property {string} created_at
 * @property {string[]} siblings  ids of all versions of it, itself included, in order
 * @property {string} [error]
 * @property {string} [finish_reason]  'length': the reply may be continued
 * @property {import('./reply_book.js').UsedTool[]} [tools]  that a reply called
 */

/**
 * @typedef {object} Handlers
 * @property {(messages: Message[]) => void} [onMessages]
 *   The stored messages of the branch that is chosen, oldest first, after every join and every
 *   refresh: replace what you show.
 * @property {(reply: Reply, event: string) => void} [onReply]
 *   A reply changed; `reply.text` is always the whole text so far. `event` is the reply
 *   event's name, or 'stored' when a running reply's end was read before its event came.
 * @property {(state: 'joining' | 'live' | 'waiting' | 'refused', reason?: string) => void} [onState]
 *   'waiting': the connection is lost and will be made again. 'refused': it is not this
 *   user's conversation, nothing more will come.
 * @property {(error: ChatError) => void} [onError]
 *   The stored messages could not be read; it is tried again.
 */

/** A failure in terms a caller can act on. `code` is the server's, or 'network'. */
export class ChatError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{retryable?: boolean, status?: number, retryAfter?: number}} [facts]
   */
  constructor(code, message, { retryable = false, status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    this.retryable = retryable;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Makes the client. In a page no argument is needed: the server that gave the page is used,
 * and it tells its public key. Elsewhere give both.
 * @param {{url?: string, key?: string, options?: object}} [where]
 * @returns {Promise<SupabaseClient>}
 */
export async function connect({ url = globalThis.location?.origin, key, options } = {}) {
  return createClient(url, key ?? (await readAnonKey(url)), options);
}

async function readAnonKey(url) {
  const response = await fetch(new URL('/client.json', url));
  if (!response.ok)
    throw new ChatError('network', 'The server did not tell its public key.', {
      status: response.status,
    });
  return (await response.json()).anon_key;
}

/** A name for one message, made once: sending it again under this name stores it once. */
export function newClientId() {
  if (globalThis.crypto.randomUUID) return globalThis.crypto.randomUUID();
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16)); // plain http on a LAN
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Stores a message and starts the reply. Tries again when that may help, always with the
 * same `clientId`, so the message is stored once whatever got lost on the way.
 * @param {SupabaseClient} client
 * @param {object} message
 * @param {string} message.content
 * @param {string} [message.conversationId]  none: a new conversation is made
 * @param {string} [message.clientId]        give it when you retry yourself
 * @param {number} [message.tries]
 * @returns {Promise<Receipt>} once message, reply and job are durable
 * @throws {ChatError}
 */
export async function sendMessage(
  client,
  { content, conversationId, clientId = newClientId(), tries = 3 },
) {
  const body = { content, conversation_id: conversationId, client_id: clientId };
  for (let tried = 1; ; ++tried) {
    const { data, error } = await client.functions.invoke('enqueue-inference', { body });
    if (!error) return data;
    const failure = await readFailure(error);
    if (!failure.retryable || tried >= tries) throw failure;
    await pause(Math.max(failure.retryAfter * 1000, pauseBefore(tried)));
  }
}

/**
 * Ends a reply, on whatever device it was asked for; what there is of it stays. Idempotent.
 * @param {SupabaseClient} client
 * @param {string} replyId
 * @returns {Promise<'cancelling' | import('./reply_book.js').ReplyStatus>}
 *   'cancelling': its end comes as an event
 * @throws {ChatError}
 */
export async function stopReply(client, replyId) {
  return (await call(client, 'stop-inference', { reply_id: replyId })).status;
}

async function call(client, name, body) {
  const { data, error } = await client.functions.invoke(name, { body });
  if (error) throw await readFailure(error);
  return data;
}

/**
 * Stores another version of one's own message beside it and starts its reply. The conversation goes
 * on there; the old version and what followed it are kept.
 * @param {SupabaseClient} client
 * @param {{messageId: string, content: string, clientId?: string}} edit
 * @returns {Promise<Receipt>}
 * @throws {ChatError}
 */
export function editMessage(client, { messageId, content, clientId = newClientId() }) {
  return call(client, 'edit-message', { message_id: messageId, content, client_id: clientId });
}

/**
 * Starts another reply to the same message; the old one is kept.
 * @param {SupabaseClient} client
 * @param {string} replyId
 * @returns {Promise<Receipt>}
 * @throws {ChatError}
 */
export function regenerateReply(client, replyId) {
  return call(client, 'regenerate-reply', { reply_id: replyId });
}

/**
 * Lets a reply go on from where it ended; its text comes first as an event, then what is new.
 * @param {SupabaseClient} client
 * @param {string} replyId
 * @returns {Promise<Receipt>}
 * @throws {ChatError}
 */
export function continueReply(client, replyId) {
  return call(client, 'continue-reply', { reply_id: replyId });
}

/**
 * The conversation goes on below this message, for all devices. Refresh the subscription then.
 * @param {SupabaseClient} client
 * @param {string} messageId
 * @throws {ChatError}
 */
export async function selectBranch(client, messageId) {
  await call(client, 'select-branch', { message_id: messageId });
}

/**
 * @typedef {object} Memory
 * @property {string} message_id
 * @property {number} score       1: the same; 0: nothing in common
 * @property {string} content
 * @property {boolean} [truncated]  the content is longer
 * @property {string} created_at
 * @property {string} conversation_id
 * @property {string} role
 * @property {string} excerpt     the part of the content that fits best
 */

/**
 * Finds what was said earlier, in any conversation, by its meaning.
 * @param {SupabaseClient} client
 * @param {string} query
 * @param {{k?: number, filter?: object, hybrid?: boolean, min_score?: number}} [how]
 * @returns {Promise<Memory[]>} best first
 * @throws {ChatError}
 */
export async function searchMemories(client, query, how = {}) {
  const body = { ...how, query };
  const { data, error } = await client.functions.invoke('search-memory', { body });
  if (error) throw await readFailure(error);
  return data;
}

/**
 * Deletes a message: it is gone from its conversation, and found no more.
 * @param {SupabaseClient} client
 * @param {string} messageId
 * @throws {ChatError}
 */
export async function deleteMessage(client, messageId) {
  const { error, status } = await client.from('messages').delete().eq('id', messageId);
  if (error) throw new ChatError(error.code || 'network', error.message, { status });
}

/** @returns {Promise<ChatError>} */
async function readFailure(error) {
  if (error instanceof FunctionsHttpError || error instanceof FunctionsRelayError) {
    const response = error.context;
    const body = await response.json().catch(() => ({}));
    return new ChatError(body.code ?? 'internal', body.message ?? response.statusText, {
      status: response.status,
      retryable: [429, 502, 503, 504].includes(response.status),
      retryAfter: Number(response.headers.get('retry-after')) || 0,
    });
  }
  if (error instanceof FunctionsFetchError)
    return new ChatError('network', 'The server could not be reached.', { retryable: true });
  return new ChatError('internal', String(error?.message ?? error));
}

/**
 * Reads the stored messages of the branch that is chosen, oldest first.
 * @param {SupabaseClient} client
 * @param {string} conversationId
 * @param {{before?: number, limit?: number}} [part] only those before this seq
 * @returns {Promise<object[]>} rows
 * @throws {ChatError}
 */
export async function loadMessages(client, conversationId, { before, limit = pageSize } = {}) {
  const part = { conversation_id: conversationId, before, most: limit };
  const { data, error, status } = await client
    .rpc('conversation_path', part, { get: true })
    .select(messageColumns)
    .order('seq');
  if (!error) return data;
  throw new ChatError(error.code || 'network', error.message, { status, retryable: true });
}

/** @returns {Message} */
export function messageOf(row, text = row.content, status = row.status, error = undefined) {
  const { id, seq, role, client_id, created_at, siblings = [row.id] } = row;
  const tools = toolsOf(row);
  return {
    ...{ id, seq, role, client_id, created_at, siblings, text, status },
    error: error ?? row.error?.message,
    finish_reason: row.usage?.finish_reason,
    ...(tools ? { tools } : {}),
  };
}

/**
 * Follows a conversation: its stored messages and its replies as they grow, across lost
 * connections, restarts and expired tokens.
 * @param {SupabaseClient} client  signed in
 * @param {string} conversationId
 * @param {Handlers} handlers
 * @returns {{refresh: () => Promise<void>, stop: () => Promise<void>}}
 *   `refresh` reads the stored messages again; after `stop` no handler is called.
 */
export function subscribeToMessages(client, conversationId, handlers) {
  const subscription = new Subscription(client, conversationId, handlers);
  subscription.join();
  return { refresh: () => subscription.read(), stop: () => subscription.stop() };
}

/** Channels on their way out, by client and topic: a name can be joined again only then. */
const leaving = new WeakMap();

function leave(client, channel) {
  if (!leaving.has(client)) leaving.set(client, new Map());
  const gone = client.removeChannel(channel).finally(() => {
    if (leaving.get(client).get(channel.topic) === gone) leaving.get(client).delete(channel.topic);
  });
  leaving.get(client).set(channel.topic, gone);
  return gone;
}

class Subscription {
  #client;
  #conversationId;
  #handlers;
  #book = new ReplyBook();
  #channel = null;
  #stopped = false;
  #refusals = 0;
  #rejoins = 0;
  #reading = null;
  #readAgain = false;
  #knownIds = new Set();

  constructor(client, conversationId, handlers) {
    this.#client = client;
    this.#conversationId = conversationId;
    this.#handlers = handlers;
  }

  async join() {
    this.#tell('joining');
    const topic = `conversation:${this.#conversationId}`;
    try {
      await leaving.get(this.#client)?.get(`realtime:${topic}`);
      // Without these two the first join goes out without a token and is refused.
      await this.#client.auth.getSession();
      await this.#client.realtime.setAuth();
    } catch (error) {
      this.#tell('waiting', String(error?.message ?? error));
      return this.#joinLater();
    }
    if (this.#stopped) return;
    const channel = this.#client.channel(topic, {
      config: { private: true, broadcast: { ack: true, self: false } },
    });
    this.#channel = channel;
    for (const event of replyEvents)
      channel.on('broadcast', { event }, ({ payload }) => {
        if (this.#channel === channel) this.#take(event, payload);
      });
    channel.subscribe((status, error) => {
      if (this.#channel === channel) this.#follow(status, error);
    });
  }

  async stop() {
    this.#stopped = true;
    await this.#drop();
  }

  /** Reads the stored rows; calls while one runs become one more read after it. */
  read() {
    this.#readAgain = true;
    this.#reading ??= this.#readUntilCurrent();
    return this.#reading;
  }

  #follow(status, error) {
    switch (status) {
      case 'SUBSCRIBED':
        this.#refusals = 0;
        this.#tell('live');
        // Joined first, read second: what is stored in between comes as an event as well.
        this.read();
        break;
      case 'CLOSED': // the server ended the channel, its token expired perhaps
        this.#tell('waiting', 'closed');
        this.#rejoin();
        break;
      default: // the client joins again by itself
        if (/^Unauthorized/.test(error?.message) && ++this.#refusals >= maxRefusals) {
          this.stop();
          this.#handlers.onState?.('refused', error.message);
        } else this.#tell('waiting', error?.message ?? status);
    }
  }

  #take(event, payload) {
    const verdict = this.#book.apply(event, payload);
    if (verdict === 'gap') return this.#rejoin();
    if (verdict === 'stale') return;
    this.#rejoins = 0;
    if (!this.#knownIds.has(payload.id)) {
      this.#knownIds.add(payload.id); // one that is on another branch is not looked for again
      this.read(); // sent from another device
    }
    this.#handlers.onReply?.(this.#book.find(payload.id), event);
  }

  /** Leaves and joins again: the server answers with a snapshot of each running reply. */
  async #rejoin() {
    await this.#drop();
    this.#joinLater();
  }

  #joinLater() {
    const wait = this.#rejoins === 0 ? 0 : pauseBefore(this.#rejoins);
    this.#rejoins += 1;
    setTimeout(() => {
      if (!this.#stopped) this.join();
    }, wait);
  }

  async #drop() {
    const channel = this.#channel;
    this.#channel = null;
    if (channel) await leave(this.#client, channel);
  }

  async #readUntilCurrent() {
    let failures = 0;
    while (this.#readAgain && !this.#stopped) {
      this.#readAgain = false;
      try {
        const rows = await loadMessages(this.#client, this.#conversationId);
        failures = 0;
        if (!this.#stopped) this.#handlers.onMessages?.(rows.map((row) => this.#merge(row)));
      } catch (error) {
        this.#readAgain = true;
        if (!this.#stopped) this.#handlers.onError?.(error);
        await pause(pauseBefore(++failures));
      }
    }
    this.#reading = null;
  }

  #merge(row) {
    this.#knownIds.add(row.id);
    if (row.role !== 'assistant') return messageOf(row);
    const known = this.#book.find(row.id);
    const reply = this.#book.adopt(row);
    if (known && !isFinal(known.status) && isFinal(reply.status))
      this.#handlers.onReply?.(reply, 'stored');
    const { text, status, error, finish_reason, tools } = reply; // tools of a running one, too
    return {
      ...messageOf(row, text, status, error),
      finish_reason: finish_reason ?? row.usage?.finish_reason,
      ...(tools ? { tools } : {}),
    };
  }

  #tell(state, reason) {
    if (!this.#stopped) this.#handlers.onState?.(state, reason);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pauseBefore = (tried) => pauses[Math.min(tried, pauses.length) - 1];
