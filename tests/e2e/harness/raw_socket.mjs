// A bare Realtime socket, for what the real client never sends.
import WebSocket from 'ws';
import { Inbox, patience, within } from './waiting.mjs';

export class RawSocket {
  /** Decoded frames: {join_ref, ref, topic, event, payload}. */
  frames = new Inbox();
  /** Resolves to {code, reason} when the socket is closed. */
  closed;
  #socket;
  #vsn;
  #ref = 0;

  /** @returns {Promise<RawSocket>} open; rejects with the refusal {status, body} */
  static async open(server, { vsn = '2.0.0', key = server.keys.anon_key } = {}) {
    const query = new URLSearchParams({ ...(key ? { apikey: key } : {}), ...(vsn ? { vsn } : {}) });
    const url = `${server.url.replace(/^http/, 'ws')}/realtime/v1/websocket?${query}`;
    const raw = new RawSocket(new WebSocket(url), vsn);
    await within(patience, 'the socket opens', raw.#opened());
    return raw;
  }

  constructor(socket, vsn) {
    this.#socket = socket;
    this.#vsn = vsn || '1.0.0';
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => {}); // told by close
    socket.on('message', (data, isBinary) => this.frames.push(this.#decode(data, isBinary)));
  }

  #opened() {
    return new Promise((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (part) => (body += part));
        response.on('end', () => reject({ status: response.statusCode, body }));
      });
    });
  }

  /** Bytes or text as they are. */
  send(data) {
    this.#socket.send(data);
  }

  /** A message; gives its ref. */
  push(topic, event, payload = {}, joinRef = null) {
    const ref = String(++this.#ref);
    const join_ref = event === 'phx_join' ? ref : joinRef;
    this.send(
      this.#vsn === '2.0.0'
        ? JSON.stringify([join_ref, ref, topic, event, payload])
        : JSON.stringify({ topic, event, payload, ref, join_ref }),
    );
    return ref;
  }

  /** Pushes and waits for the answer {status, response}; `ref` is added to it. */
  async ask(topic, event, payload, joinRef) {
    const ref = this.push(topic, event, payload, joinRef);
    const frame = await this.frames.find(
      `an answer to ${event} on ${topic}`,
      (each) => each.event === 'phx_reply' && each.ref === ref,
    );
    return { ref, ...frame.payload };
  }

  join(name, { token, isPrivate = false, ...config } = {}) {
    return this.ask(`realtime:${name}`, 'phx_join', {
      config: {
        broadcast: { ack: false, self: false },
        presence: { key: '', enabled: false },
        postgres_changes: [],
        private: isPrivate,
        ...config,
      },
      ...(token ? { access_token: token } : {}),
    });
  }

  /** Is the socket alive? */
  async beat() {
    const { status } = await this.ask('phoenix', 'heartbeat', {});
    return status === 'ok';
  }

  close() {
    this.#socket.close();
  }

  /** Cuts the connection without a close frame. */
  terminate() {
    this.#socket.terminate();
  }

  #decode(data, isBinary) {
    if (isBinary) return decodeBroadcast(data);
    const parsed = JSON.parse(data.toString());
    if (!Array.isArray(parsed)) return parsed;
    const [join_ref, ref, topic, event, payload] = parsed;
    return { join_ref, ref, topic, event, payload };
  }
}

/** Kind 4: 04 topicLen eventLen metaLen encoding, then topic, event, metadata, payload. */
function decodeBroadcast(data) {
  const [kind, topicLength, eventLength, metaLength, encoding] = data;
  if (kind !== 4) throw new Error(`binary frame of kind ${kind}`);
  let at = 5;
  const part = (length) => data.subarray(at, (at += length)).toString();
  const topic = part(topicLength);
  const event = part(eventLength);
  const meta = part(metaLength);
  const rest = data.subarray(at);
  const payload = encoding === 1 ? JSON.parse(rest.toString()) : rest;
  return {
    join_ref: null,
    ref: null,
    topic,
    event: 'broadcast',
    payload: { type: 'broadcast', event, payload, ...(meta ? { meta: JSON.parse(meta) } : {}) },
  };
}

/** Kind 3, as the 2.0.0 client pushes broadcasts. */
export function userBroadcast({ joinRef, ref, topic, event, payload, metadata = '', json = true }) {
  const texts = [joinRef, ref, topic, event, metadata].map((text) => Buffer.from(text));
  return Buffer.concat([
    Buffer.from([3, ...texts.map((text) => text.length), json ? 1 : 0]),
    ...texts,
    Buffer.from(payload),
  ]);
}
