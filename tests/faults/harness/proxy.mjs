// Between a node and PostgreSQL: TCP in front, the cluster's socket behind, and in between
// whatever can happen to a network.
import { connect, createServer } from 'node:net';
import { once } from 'node:events';

export class Proxy {
  /** Connections that were made through it, ever. */
  accepted = 0;
  /** How often an answer that loseAnswersTo() waits for was withheld. */
  withheld = 0;
  #server;
  #path;
  #pairs = new Set();
  #blackHole = false;
  #lost = null;

  static async open(path) {
    const proxy = new Proxy(path);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  constructor(path) {
    this.#path = path;
    this.#server = createServer((client) => this.#join(client));
  }

  /** For storage.url. */
  get conninfo() {
    const { port } = this.#server.address();
    return (
      `host=127.0.0.1 port=${port} user=postgres dbname=postgres ` +
      'sslmode=disable gssencmode=disable'
    );
  }

  /** Keeps every connection, old and new, and forwards nothing until heal(). */
  blackHole() {
    this.#blackHole = true;
    for (const { sockets } of this.#pairs) for (const socket of sockets) socket.pause();
  }

  /**
   * What a client asks on a connection that ever named `text` still reaches PostgreSQL; the
   * answers do not come back. Statements are named where they are prepared, so cut() first.
   */
  loseAnswersTo(text) {
    this.#lost = text;
    this.withheld = 0;
  }

  /** Forwards everything again; what was held back comes late. */
  heal() {
    this.#blackHole = false;
    this.#lost = null;
    for (const { sockets } of this.#pairs) for (const socket of sockets) socket.resume();
  }

  /** Resets all connections. New ones are welcome. */
  cut() {
    for (const { sockets } of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client) {
    ++this.accepted;
    const database = connect(this.#path);
    const pair = { sockets: [client, database] };
    this.#pairs.add(pair);
    client.on('data', (data) => {
      if (this.#lost && !database.isPaused() && data.includes(this.#lost)) {
        ++this.withheld;
        database.pause();
      }
      database.write(data);
    });
    database.on('data', (data) => client.write(data));
    for (const socket of pair.sockets) {
      socket.setNoDelay?.(true);
      socket.on('error', () => {}); // told by close
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const other of pair.sockets) other.destroy();
      });
      if (this.#blackHole) socket.pause();
    }
  }
}
