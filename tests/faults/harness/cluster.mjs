// A throw-away PostgreSQL that no node owns, and the nodes on it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeToken } from '../../e2e/harness/clients.mjs';
import { Server } from '../../e2e/harness/server.mjs';
import { second, until } from '../../e2e/harness/waiting.mjs';
import { Pg } from './pg_wire.mjs';
import { Proxy } from './proxy.mjs';

const root = new URL('../../../', import.meta.url);
const binary = process.env.JESSICA_BINARY ?? fileURLToPath(new URL('build/release/jessica', root));
// Everything below this folder is ended and removed by tests/faults/run, whatever happens here.
const scratch = process.env.FAULTS_SCRATCH ?? tmpdir();
const databaseLimit = 60 * second;

/** A test whose body is given (t, cluster): one of its own, which goes whatever happens. */
export function testOnCluster(name, body) {
  test(name, async (t) => {
    const cluster = await Cluster.start();
    let failure = null;
    try {
      await body(t, cluster);
    } catch (error) {
      failure = error;
      cluster.tellLogs();
    }
    await cluster.remove().catch((error) => {
      failure ??= error;
    });
    if (failure) throw failure;
  });
}

export class Cluster {
  directory;
  nodes = [];
  /** True once remove() was called: whoever still sends or listens gives up. */
  removed = false;
  #keepsDirectory = false;
  #eye = null;
  #proxies = [];

  /**
   * @param {object} [how]
   * @param {string} [how.directory] an empty one to use, which stays, instead of our own
   */
  static async start({ directory } = {}) {
    await access(binary);
    const made = new Cluster(directory ?? (await mkdtemp(`${scratch}/faults-`)));
    made.#keepsDirectory = directory !== undefined;
    await chmod(made.directory, 0o755); // the database may run as another user than we
    await made.startDatabase();
    return made;
  }

  constructor(directory) {
    this.directory = directory;
  }

  get socketPath() {
    return `${this.directory}/postgres/s/.s.PGSQL.5432`;
  }

  /** What the nodes logged last, for whoever has to find out. */
  tellLogs() {
    for (const { name, log } of this.nodes) {
      console.error(`--- ${name}`);
      for (const entry of log.items.slice(-60)) console.error(JSON.stringify(entry));
    }
  }

  /** A node that attaches to the cluster; it starts PostgreSQL again when that dies. */
  async node(settings = {}) {
    const node = await Server.join(this.directory, settings);
    node.name = `node ${this.nodes.length + 1}`;
    this.nodes.push(node);
    return node;
  }

  /** A node that knows the database by its URL only, through a proxy of its own. */
  async distantNode(settings = {}) {
    const proxy = await Proxy.open(this.socketPath);
    this.#proxies.push(proxy);
    const node = await this.node({ 'storage-url': proxy.conninfo, ...settings });
    node.proxy = proxy;
    return node;
  }

  /** A node that knows the cluster's socket by its URL: it leaves PostgreSQL alone. */
  guestNode(settings = {}) {
    const url = `host=${this.directory}/postgres/s port=5432 user=postgres dbname=postgres`;
    return this.node({ 'storage-url': url, ...settings });
  }

  startDatabase() {
    return this.#jessica('db', 'start');
  }

  stopDatabase() {
    return this.#jessica('db', 'stop');
  }

  /** Process id of the postmaster. */
  async postmaster() {
    const file = await readFile(`${this.directory}/postgres/data/postmaster.pid`, 'utf8');
    return Number(file.split('\n')[0]);
  }

  /** The node that started PostgreSQL and takes it along when it dies; or null. */
  async owner() {
    const status = await readFile(`/proc/${await this.postmaster()}/status`, 'utf8');
    const parent = Number(status.match(/^PPid:\s+(\d+)/m)[1]);
    return this.nodes.find(({ pid }) => pid === parent) ?? null;
  }

  /** A connection of the test's own, past every proxy. */
  connect(options) {
    return Pg.connect(this.socketPath, options);
  }

  /** Asks over a connection that is kept, and made anew when PostgreSQL was away. */
  async sql(statement, limit = databaseLimit) {
    return until(
      `PostgreSQL answers ${statement.slice(0, 80)}`,
      async () => {
        try {
          this.#eye ??= await this.connect();
          return await this.#eye.query(statement);
        } catch (error) {
          if (error.sqlstate && !/^(57P|53)/.test(error.sqlstate)) throw error;
          await this.#forgetEye();
          return null;
        }
      },
      limit,
      100,
    );
  }

  async value(statement, limit) {
    return (await this.sql(statement, limit))[0]?.[0];
  }

  /** Rows as objects: `select` gives the columns by name. */
  async rows(select, limit) {
    const found = await this.sql(`select row_to_json(r) from (${select}) r`, limit);
    return found.map(([text]) => JSON.parse(text));
  }

  /** Accounts, each with a token and `conversations` of its own. No node is asked. */
  async people(count, conversations = 1) {
    const keys = JSON.parse(await readFile(`${this.directory}/keys.json`, 'utf8'));
    const now = Math.floor(Date.now() / 1000);
    const made = Array.from({ length: count }, () => {
      const id = randomUUID();
      const claims = {
        sub: id,
        role: 'authenticated',
        aud: 'authenticated',
        email: `${id}@example.test`,
        iat: now,
        exp: now + 4 * 3600,
      };
      return {
        cluster: this,
        id,
        email: claims.email,
        token: makeToken(keys.jwt_secret, claims),
        conversations: Array.from({ length: conversations }, () => randomUUID()),
      };
    });
    const users = made.map(({ id, email }) => `('${id}', '${email}')`);
    const owned = made.flatMap(({ id, conversations: own }) =>
      own.map((each) => `('${each}', '${id}')`),
    );
    await this.sql(
      `insert into auth.users (id, email) values ${users.join(',')};` +
        `insert into public.conversations (id, user_id) values ${owned.join(',')}`,
    );
    return made;
  }

  /** For after(): nodes, proxies, PostgreSQL, files. The first complaint is thrown at the end. */
  async remove() {
    this.removed = true;
    const complaints = [];
    const attempt = (work) => work.catch((error) => complaints.push(error));
    await attempt(this.#forgetEye());
    for (const { proxy } of this.nodes) proxy?.heal();
    await Promise.all(this.nodes.map((node) => attempt(node.remove())));
    await Promise.all(this.#proxies.map((proxy) => attempt(proxy.close())));
    const pid = await this.postmaster().catch(() => null);
    if (pid) await attempt(this.stopDatabase());
    if (!this.#keepsDirectory)
      await attempt(rm(this.directory, { recursive: true, force: true }));
    assert.ifError(complaints[0]);
  }

  async #forgetEye() {
    await this.#eye?.end();
    this.#eye = null;
  }

  async #jessica(...words) {
    const environment = Object.entries(process.env).filter(([name]) => !/^JESSICA_/.test(name));
    await promisify(execFile)(binary, [...words, '--storage-directory', this.directory], {
      cwd: this.directory,
      env: Object.fromEntries(environment),
      timeout: databaseLimit,
    });
  }
}
