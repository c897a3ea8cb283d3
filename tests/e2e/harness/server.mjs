// One server of its own for a test file: started, stopped, killed and started again.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { access, chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Inbox, second, within } from './waiting.mjs';

const root = new URL('../../../', import.meta.url);
const webRoot = fileURLToPath(new URL('web/dist', root));
const binary = process.env.JESSICA_BINARY ?? fileURLToPath(new URL('build/release/jessica', root));
const psql = process.env.PSQL ?? '/usr/lib/postgresql/17/bin/psql';
const startLimit = 40 * second; // a first start makes the database cluster
const stopLimit = 30 * second;

/** The tests' environment without the variables the server would take as settings. */
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('JESSICA_')),
  );
}

const flagsOf = (settings) =>
  Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);

export class Server {
  directory;
  url;
  port = 0;
  keys;
  log = new Inbox();
  #ownsDirectory = true;
  #settings;
  #process = null;
  #exit = null;

  /** @param {Record<string, string | number>} [settings] as flags without the dashes */
  static async start(settings = {}) {
    await access(binary);
    const directory = await mkdtemp('/tmp/jessica-e2e-');
    await chmod(directory, 0o755); // the database may run as another user than we
    const server = new Server(directory, settings);
    await server.startAgain();
    return server;
  }

  /** One more node on the directory, and so on the database, that somebody else owns. */
  static async join(directory, settings = {}) {
    const server = new Server(directory, settings);
    server.#ownsDirectory = false;
    await server.startAgain();
    return server;
  }

  constructor(directory, settings) {
    this.directory = directory;
    this.#settings = settings;
  }

  /** Process id; null while it does not run. */
  get pid() {
    return this.#process?.pid ?? null;
  }

  /** Starts on the same directory and, after the first time, on the same port. */
  async startAgain() {
    const from = this.log.items.length;
    this.#process = spawn(
      binary,
      [
        'up',
        ...flagsOf({
          'storage-directory': this.directory,
          'net-port': this.port,
          'net-web-root': webRoot,
          ...this.#settings,
        }),
      ],
      { cwd: this.directory, env: environment(), stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#exit = ended;
    createInterface({ input: this.#process.stderr }).on('line', (line) =>
      this.log.push(parsed(line)),
    );
    const ready = this.log.find('server.ready', (entry) => entry.event === 'server.ready', {
      from,
      limit: startLimit,
    });
    const died = ended.then(({ code, signal }) => {
      throw new Error(`the server ended at start (${code ?? signal})\n${this.tail()}`);
    });
    died.catch(() => {}); // only interesting before it is ready
    const { port, url } = await Promise.race([ready, died]);
    this.port = port;
    this.url = url;
    this.keys = JSON.parse(await readFile(`${this.directory}/keys.json`, 'utf8'));
  }

  /** SIGTERM; the server has to end by itself, with 0. */
  async stop() {
    this.#process.kill('SIGTERM');
    const { code, signal } = await within(stopLimit, 'the server ends on SIGTERM', this.#exit);
    this.#process = null;
    assert.equal(code, 0, `exit code ${code ?? signal}\n${this.tail()}`);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill() {
    this.#process.kill('SIGKILL');
    await within(stopLimit, 'the server is dead', this.#exit);
    this.#process = null;
  }

  /** SIGSTOP: the process keeps its sockets and does nothing. */
  freeze() {
    this.#process.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw() {
    this.#process.kill('SIGCONT');
  }

  /** For after(): ends whatever still runs and removes the directory, if it is its own. */
  async remove() {
    try {
      if (this.#process) {
        this.thaw(); // a frozen process would not hear the stop
        await this.stop();
      }
    } finally {
      if (this.#process) await this.kill();
      if (this.#ownsDirectory) await rm(this.directory, { recursive: true, force: true });
    }
  }

  /** Runs SQL as the database's superuser; gives rows of text columns. */
  async sql(statement) {
    const { stdout } = await promisify(execFile)(psql, [
      ...['-X', '-A', '-t', '-q', '-F', '\t', '-v', 'ON_ERROR_STOP=1'],
      ...['-h', `${this.directory}/postgres/s`, '-U', 'postgres', '-d', 'postgres'],
      ...['-c', statement],
    ]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /** One value. */
  async value(statement) {
    return (await this.sql(statement))[0]?.[0];
  }

  /** Process id of the server's PostgreSQL. */
  async postmaster() {
    const file = await readFile(`${this.directory}/postgres/data/postmaster.pid`, 'utf8');
    return Number(file.split('\n')[0]);
  }

  tail(lines = 20) {
    return this.log.items
      .slice(-lines)
      .map((entry) => JSON.stringify(entry))
      .join('\n');
  }
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}
