// A PostgreSQL client of the harness's own: one socket, simple queries. It is there to hold
// connections and transactions open, and to look without starting a psql each time.
import { connect } from 'node:net';
import { patience, within } from '../../e2e/harness/waiting.mjs';

const protocol = 3 << 16;

export class Pg {
  /** Resolves when the connection has ended, from whichever side. */
  closed;
  #socket;
  #unread = Buffer.alloc(0);
  #asked = []; // {resolve, reject, rows, error}: answers come in this order

  /** @param {string} path of the cluster's socket; peer authentication lets us in */
  static async connect(path, { user = 'postgres', database = 'postgres' } = {}) {
    const pg = new Pg(connect(path));
    pg.#greet({ user, database, application_name: 'faults' });
    await within(patience, 'PostgreSQL lets us in', pg.#expect());
    return pg;
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#take(data));
    socket.on('error', (error) => this.#fail(error));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(gone());
        resolve();
      });
    });
  }

  /** Rows of text columns (null: SQL's null) of all statements together. */
  query(sql, limit = patience) {
    if (this.#socket.destroyed) return Promise.reject(gone());
    const text = Buffer.from(`${sql}\0`);
    const head = Buffer.alloc(5);
    head.write('Q');
    head.writeInt32BE(text.length + 4, 1);
    const answer = this.#expect();
    this.#socket.write(Buffer.concat([head, text]));
    return within(limit, sql.slice(0, 200), answer);
  }

  /** The first column of the first row. */
  async value(sql, limit) {
    return (await this.query(sql, limit))[0]?.[0];
  }

  async end() {
    this.#socket.destroy();
    await this.closed;
  }

  #greet(settings) {
    const pairs = Object.entries(settings).flat().join('\0');
    const text = Buffer.from(`${pairs}\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(text.length + 8, 0);
    head.writeInt32BE(protocol, 4);
    this.#socket.write(Buffer.concat([head, text]));
  }

  #expect() {
    const answer = new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject, rows: [], error: null });
    });
    answer.catch(() => {}); // a caller that stopped waiting has its own error
    return answer;
  }

  #fail(error) {
    for (const { reject, error: told } of this.#asked.splice(0)) reject(told ?? error);
  }

  #take(data) {
    this.#unread = Buffer.concat([this.#unread, data]);
    while (this.#unread.length >= 5) {
      const size = 1 + this.#unread.readInt32BE(1);
      if (this.#unread.length < size) return;
      this.#understand(String.fromCharCode(this.#unread[0]), this.#unread.subarray(5, size));
      this.#unread = this.#unread.subarray(size);
    }
  }

  #understand(kind, body) {
    const current = this.#asked[0];
    if (!current) return;
    if (kind === 'D') current.rows.push(columnsOf(body));
    if (kind === 'E') current.error = errorOf(body);
    if (kind === 'R' && body.readInt32BE(0) !== 0)
      current.error = new Error('PostgreSQL wants a password');
    if (kind !== 'Z') return;
    this.#asked.shift();
    if (current.error) current.reject(current.error);
    else current.resolve(current.rows);
  }
}

const gone = () => new Error('PostgreSQL closed the connection');

function columnsOf(body) {
  const columns = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; --left) {
    const length = body.readInt32BE(at);
    at += 4;
    columns.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return columns;
}

function errorOf(body) {
  const fields = Object.fromEntries(
    body
      .toString()
      .split('\0')
      .filter(Boolean)
      .map((field) => [field[0], field.slice(1)]),
  );
  return Object.assign(new Error(fields.M), { sqlstate: fields.C });
}
