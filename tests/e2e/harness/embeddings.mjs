// An OpenAI-compatible embeddings server: a vector counts letters. It can be told to fail.
import { createServer } from 'node:http';
import { once } from 'node:events';

const dimensions = 16;

export function vectorOf(text) {
  const vector = new Array(dimensions).fill(0.01);
  for (const byte of Buffer.from(text)) vector[byte % dimensions] += 1;
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export class EmbeddingsServer {
  asked = []; // the texts of each request
  failing = null; // a status that every request gets
  #server;

  static async start() {
    const made = new EmbeddingsServer();
    made.#server = createServer((request, response) => made.#answer(request, response));
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  /** Flags of a Jessica that asks it. */
  get settings() {
    return {
      'embedding-engine': 'openai',
      'embedding-openai-url': `http://127.0.0.1:${this.#server.address().port}`,
      'embedding-openai-model': 'letters',
      'embedding-openai-dimensions': dimensions,
      'embedding-openai-attempts': 1,
    };
  }

  async #answer(request, response) {
    let body = '';
    for await (const part of request) body += part;
    const { input } = JSON.parse(body);
    this.asked.push(input);
    if (this.failing) {
      response.writeHead(this.failing).end('{}');
      return;
    }
    const data = input.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: vectorOf(text),
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ object: 'list', data, model: 'letters', usage: {} }));
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
