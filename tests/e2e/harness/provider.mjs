// A provider of language models that does what a test says, request by request.
import { createServer } from 'node:http';
import { Inbox } from './waiting.mjs';

const line = (value) => `data: ${JSON.stringify(value)}\n\n`;
export const token = (text) => line({ choices: [{ index: 0, delta: { content: text } }] });
export const reasoning = (text) => line({ choices: [{ delta: { reasoning_content: text } }] });
export const ending = (tokens) =>
  line({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
  line({ choices: [], usage: { prompt_tokens: 11, completion_tokens: tokens } }) +
  'data: [DONE]\n\n';

export class Provider {
  /** Questions as they come: {body, headers, stream, closed}. */
  questions = new Inbox();
  url;
  #server;
  #handlers = [];

  /** @param {Array<(stream: import('node:http').ServerResponse, body: any) => any>} handlers
   *   one a question; the last one stays */
  static async start(...handlers) {
    const provider = new Provider();
    provider.#handlers = handlers;
    provider.#server = createServer((request, response) => provider.#take(request, response));
    await new Promise((resolve) => provider.#server.listen(0, '127.0.0.1', resolve));
    provider.url = `http://127.0.0.1:${provider.#server.address().port}/v1`;
    return provider;
  }

  answerWith(...handlers) {
    this.#handlers = handlers;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request, stream) {
    let text = '';
    for await (const part of request) text += part;
    const body = text && JSON.parse(text);
    const closed = new Promise((resolve) => stream.on('close', () => resolve(Date.now())));
    this.questions.push({ body, headers: request.headers, stream, closed });
    const handler = this.#handlers.length > 1 ? this.#handlers.shift() : this.#handlers[0];
    await handler(stream, body);
  }
}

export function begin(stream) {
  stream.writeHead(200, { 'content-type': 'text/event-stream' });
  stream.flushHeaders();
}

/** Says these words and ends as it should. */
export const says =
  (...words) =>
  (stream) => {
    begin(stream);
    for (const word of words) stream.write(token(word));
    stream.end(ending(words.length));
  };

export const refuses =
  (status, headers = {}) =>
  (stream) => {
    stream.writeHead(status, { 'content-type': 'application/json', ...headers });
    stream.end(JSON.stringify({ error: { message: `status ${status}` } }));
  };
