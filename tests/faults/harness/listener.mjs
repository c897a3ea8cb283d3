// Somebody who reads a conversation and writes down all that arrives, socket by socket.
import { connect } from 'node:net';
import { RawSocket } from '../../e2e/harness/raw_socket.mjs';
import { assemble } from '../../e2e/harness/replies.mjs';
import { patience, second, within } from '../../e2e/harness/waiting.mjs';
import { pause } from './pausing.mjs';

const beatEvery = 20 * second;
const openLimit = 5 * second;

/** One joined socket: `heard.items` are the broadcasts in order, each with its time `at`. */
class Segment {
  joinedAt = Date.now();
  closedAt = null;
  #topic;
  #ref;

  constructor({ node, raw, heard, topic, ref }) {
    this.node = node;
    this.raw = raw;
    this.heard = { items: heard };
    this.#topic = topic;
    this.#ref = ref;
  }

  ask(event, payload) {
    return this.raw.ask(this.#topic, 'broadcast', { type: 'broadcast', event, payload }, this.#ref);
  }
}

export class Listener {
  segments = [];
  #person;
  #conversation;
  #node;
  #stopped = false;
  #raw = null;
  #life;
  #onEvent = new Set();

  /** @returns {Promise<Listener>} joined; it joins again by itself until stop() */
  static async join(node, person, conversation = person.conversations[0]) {
    const listener = new Listener(node, person, conversation);
    await listener.joined();
    return listener;
  }

  constructor(node, person, conversation) {
    this.#node = node;
    this.#person = person;
    this.#conversation = conversation;
    this.#life = this.#live();
  }

  get conversation() {
    return this.#conversation;
  }

  get node() {
    return this.#node;
  }

  /** The socket that is joined now, or null. */
  get current() {
    const last = this.segments.at(-1);
    return last && last.closedAt === null ? last : null;
  }

  /** Resolves when a socket is joined that was joined at or after `since`. */
  joined(since = 0, limit = 60 * second) {
    return this.#until(
      `a join of conversation ${this.#conversation} on ${this.#node.name}`,
      () => this.current && this.current.joinedAt >= since && this.current,
      limit,
    );
  }

  /** The first event, of any socket, that `wanted` accepts. */
  hears(what, wanted, limit = patience) {
    return this.#until(what, () => this.events().find(wanted), limit);
  }

  /** All events of all sockets. */
  events() {
    return this.segments.flatMap(({ heard }) => heard.items);
  }

  /** What each socket made of a reply; throws when one heard something impossible. */
  readings(replyId) {
    return this.segments.map((segment) => ({
      ...assemble(segment.heard, replyId),
      segment,
    }));
  }

  /** `message.send` over the channel: {status, response}; rejects when there is no socket. */
  async send(payload) {
    const now = this.current;
    if (!now) throw new Error('not joined');
    const answer = now.ask('message.send', payload);
    answer.catch(() => {}); // the socket may be gone before
    const gone = now.raw.closed.then(() => {
      throw new Error('the socket closed before the answer');
    });
    gone.catch(() => {});
    return Promise.race([answer, gone]);
  }

  /** `reply.stop`: {status, response}. */
  stopReply(id) {
    return this.current.ask('reply.stop', { id });
  }

  /** Loses its socket; it comes back by itself. */
  drop() {
    this.#raw?.close();
  }

  async stop() {
    this.#stopped = true;
    this.#raw?.close();
    await within(patience, 'the listener ends', this.#life);
  }

  get #over() {
    return this.#stopped || this.#person.cluster.removed;
  }

  async #live() {
    while (!this.#over) {
      try {
        await this.#hearOneSocket();
      } catch {
        // refused, not there, or gone in the middle: once more
      }
      if (!this.#over) await pause(100);
    }
  }

  async #hearOneSocket() {
    await within(openLimit, 'the port answers', reachable(this.#node.port));
    const raw = await within(openLimit, 'the socket opens', RawSocket.open(this.#node));
    this.#raw = raw;
    try {
      const name = `conversation:${this.#conversation}`;
      const heard = this.#record(raw);
      const joined = await raw.join(name, {
        token: this.#person.token,
        isPrivate: true,
        broadcast: { ack: true, self: false },
      });
      if (joined.status !== 'ok') throw new Error(`join: ${JSON.stringify(joined.response)}`);
      const { ref } = joined;
      const segment = new Segment({ node: this.#node, raw, heard, topic: `realtime:${name}`, ref });
      this.segments.push(segment);
      this.#tell();
      await this.#untilClosed(raw);
      segment.closedAt = Date.now();
      this.#tell();
    } finally {
      raw.close();
    }
  }

  /** The list into which the socket's broadcasts go from now on. */
  #record(raw) {
    const heard = [];
    const push = raw.frames.push.bind(raw.frames);
    raw.frames.push = (frame) => {
      if (frame.event === 'broadcast') {
        const { event, payload } = frame.payload;
        heard.push({ event, payload, at: Date.now() });
        this.#tell();
      }
      push(frame);
    };
    return heard;
  }

  async #untilClosed(raw) {
    const timer = setInterval(() => raw.push('phoenix', 'heartbeat'), beatEvery);
    try {
      await raw.closed;
    } finally {
      clearInterval(timer);
    }
  }

  #tell() {
    for (const look of [...this.#onEvent]) look();
  }

  #until(what, probe, limit) {
    let look;
    const found = new Promise((resolve) => {
      look = () => {
        const value = probe();
        if (value) resolve(value);
      };
      this.#onEvent.add(look);
      look();
    });
    return within(limit, what, found).finally(() => this.#onEvent.delete(look));
  }
}

function reachable(port) {
  return new Promise((resolve, reject) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.once('error', reject);
  });
}
