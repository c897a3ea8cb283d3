// People who keep writing, each message until it is acknowledged, and a book of it all.
import assert from 'node:assert/strict';
import { second, until, within } from '../../e2e/harness/waiting.mjs';
import { chanceOf } from './chance.mjs';
import { pause } from './pausing.mjs';

// Past the server's own limit for a request (15 s), with room for a busy machine.
const answerLimit = 22 * second;
const retryPause = 150;
const ackLimit = 60 * second;
const words =
  'lease stream token commit reader cluster socket memory answer question order fence'.split(' ');

export class Load {
  people;
  /** client_id -> {client_id, person, conversation, content, tries, receipt} */
  sends = new Map();
  /** When a send was acknowledged, ms of Date.now(), in order. */
  acknowledged = [];
  #name;
  #nodes;
  #chance;
  #listeners = [];
  #running = false;
  #senders = [];

  /**
   * @param {string} name of the test: it seeds what is written
   * @param {Server[]} nodes each try goes to one of them
   * @param {object[]} people of Cluster.people()
   */
  constructor(name, nodes, people) {
    this.#name = name;
    this.#nodes = nodes;
    this.people = people;
    this.#chance = chanceOf(name);
  }

  /** Their sockets carry every second message that goes to their conversation. */
  sendThrough(...listeners) {
    this.#listeners.push(...listeners);
  }

  /** One message of one person, sent until it is acknowledged; gives the send. */
  async say(person = this.people[0], { nodes = this.#nodes } = {}) {
    const send = this.#newSend(person);
    await until(`an ack: ${describe(send)}`, () => this.#try(send, nodes), ackLimit, retryPause);
    return send;
  }

  /** One try of one new message; gives the send, acknowledged or not. */
  async sayOnce(person = this.people[0]) {
    const send = this.#newSend(person);
    await this.#try(send);
    return send;
  }

  /** Tries a send of sayOnce() again, as a client does that heard nothing. */
  async sayAgain(send) {
    await until(`an ack of ${send.client_id}`, () => this.#try(send), ackLimit, retryPause);
  }

  /** Writes down what did not go over a node, for the invariants. */
  adopt({ client_id, person, conversation = person.conversations[0], content }) {
    const send = { client_id, person, conversation, content, tries: [], receipt: null };
    this.sends.set(client_id, send);
    return send;
  }

  /** `senders` people at once, one message each `every` ms, until stop(). */
  start({ senders, every }) {
    this.#running = true;
    this.#senders = Array.from({ length: senders }, (_, index) => this.#keepSending(index, every));
    for (const sender of this.#senders) sender.catch(() => {}); // stop() throws it
  }

  /** No new messages; those on their way are still sent until they are acknowledged. */
  async stop() {
    this.#running = false;
    await within(ackLimit, 'the last messages are acknowledged', Promise.all(this.#senders));
    this.#senders = [];
  }

  /** Resolves, after a warm-up, with the acknowledged sends a second. */
  async steadyRate() {
    const first = this.acknowledged.length;
    await until('a warm-up', () => this.acknowledged.length >= first + 30);
    const begun = Date.now();
    await pause(2 * second);
    return this.rate(begun);
  }

  /** Acknowledged sends a second between two times. */
  rate(from, to = Date.now()) {
    const inside = this.acknowledged.filter((at) => at >= from && at < to).length;
    return (inside * second) / (to - from);
  }

  /**
   * Waits until a whole second after `since` has 95 % of the rate `before`; gives the ms
   * from `since` to the beginning of it.
   */
  async recovered(before, since, limit = 30 * second) {
    let end = since + second;
    await until(
      `95 % of ${before.toFixed(1)} sends a second again`,
      () => {
        for (; end <= Date.now(); end += 100)
          if (this.rate(end - second, end) >= 0.95 * before) return true;
        return false;
      },
      limit,
    );
    return end - second - since;
  }

  /**
   * Each refusal must be one a client can act on. `dropped`: nodes of the test died, so
   * that a request may have been broken off without any answer.
   */
  assertDefinedAnswers({ dropped = false } = {}) {
    for (const send of this.sends.values())
      for (const { status, took, retryAfter, lost, ...rest } of send.tries) {
        const what = JSON.stringify(rest);
        const told = `${status ?? lost} after ${took} ms ${what}: ${describe(send)}`;
        if (lost && dropped) continue;
        assert.ok(!lost, `an answer: ${told}`);
        assert.ok(took <= answerLimit, `an answer within ${answerLimit} ms: ${told}`);
        if (typeof status === 'number') {
          // 504: it is not known whether it was stored, and repeating it is harmless.
          assert.ok([202, 429, 503, 504].includes(status), `202, 429, 503, 504: ${told}`);
          if (status !== 202) assert.match(retryAfter ?? '', /^\d+$/, `Retry-After: ${told}`);
        }
      }
  }

  /** How the tries ended: {202: n, 503: n, ...} and the slowest refusal. */
  summary() {
    const counts = {};
    let slowest = 0;
    for (const { tries } of this.sends.values())
      for (const { status, lost, took } of tries) {
        const key = status ?? lost;
        counts[key] = (counts[key] ?? 0) + 1;
        if (key !== 202 && key !== 'ok') slowest = Math.max(slowest, took);
      }
    return { counts, slowest };
  }

  /** The test has ended, and with it the cluster. */
  get #over() {
    return this.people[0].cluster.removed;
  }

  async #keepSending(index, every) {
    await pause(this.#chance() * every);
    for (let turn = 0; this.#running && !this.#over; ++turn) {
      const begun = Date.now();
      const send = this.#newSend(this.people[(index + turn) % this.people.length]);
      while (!(await this.#try(send)) && !this.#over) await pause(retryPause);
      await pause(Math.max(0, begun + every - Date.now()));
    }
  }

  #newSend(person) {
    const number = this.sends.size + 1;
    const conversations = person.conversations;
    return this.adopt({
      client_id: `${this.#name.slice(0, 80)} ${number}`,
      person,
      conversation: conversations[Math.floor(this.#chance() * conversations.length)],
      content: this.#sentence(),
    });
  }

  #sentence() {
    const count = 4 + Math.floor(this.#chance() * 12);
    const word = () => words[Math.floor(this.#chance() * words.length)];
    return `Tell me about the ${Array.from({ length: count }, word).join(' ')}.`;
  }

  /** True when it is acknowledged. */
  async #try(send, nodes = this.#nodes) {
    const begun = Date.now();
    const through = this.#listeners.filter(
      ({ conversation, current }) => conversation === send.conversation && current,
    );
    const byChannel = through.length > 0 && this.#chance() < 0.5;
    const how = byChannel
      ? await this.#overChannel(through[0], send)
      : await this.#overHttp(nodes[Math.floor(this.#chance() * nodes.length)], send);
    const { receipt, ...answer } = how;
    send.tries.push({ at: begun, took: Date.now() - begun, ...answer });
    if (!receipt) return false;
    assert.deepEqual(receipt, send.receipt ?? receipt, 'a repetition has the first ids');
    if (!send.receipt) this.acknowledged.push(Date.now());
    send.receipt = receipt;
    return true;
  }

  async #overHttp(node, { person, conversation, content, client_id }) {
    try {
      const response = await fetch(`${node.url}/functions/v1/enqueue-inference`, {
        method: 'POST',
        headers: {
          apikey: node.keys.anon_key,
          authorization: `Bearer ${person.token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ content, client_id, conversation_id: conversation }),
        signal: AbortSignal.timeout(answerLimit + second),
      });
      const text = await response.text();
      const retryAfter = response.headers.get('retry-after');
      const { status } = response;
      if (status === 202) return { by: node.name, status, receipt: JSON.parse(text) };
      return { by: node.name, status, retryAfter, said: text.slice(0, 200) };
    } catch (error) {
      return { by: node.name, lost: String(error.cause?.code ?? error.message) };
    }
  }

  async #overChannel(listener, { content, client_id }) {
    const by = `the channel on ${listener.node.name}`;
    try {
      const payload = { content, client_id };
      const { status, response } = await within(answerLimit, 'an ack', listener.send(payload));
      if (status === 'ok') return { by, status, receipt: response };
      return { by, status, said: JSON.stringify(response) };
    } catch (error) {
      return { by, lost: error.message.slice(0, 200) };
    }
  }
}

export function describe({ client_id, conversation, content, tries, receipt }) {
  const begun = tries[0]?.at ?? 0;
  const told = tries.map(({ at, ...rest }) => ({ after: at - begun, ...rest }));
  return JSON.stringify({ client_id, conversation, content, receipt, tries: told.slice(-12) });
}
