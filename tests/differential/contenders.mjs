// Jessica and the second implementation, each with clients of every kind on equal rows.
import { readFile } from 'node:fs/promises';
import { App, InMemoryEmailDriver } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { makeToken } from '../e2e/harness/clients.mjs';
import { Server } from '../e2e/harness/server.mjs';
import { until } from '../e2e/harness/waiting.mjs';

/** The people whose rows seed.sql makes. */
export const people = {
  ada: '0000000a-0000-4000-8000-00000000000a',
  bob: '0000000b-0000-4000-8000-00000000000b',
};

const readSql = (name) => readFile(new URL(name, import.meta.url), 'utf8');
// A table without grants: the second implementation opens all of them at its first request.
const closed = 'revoke all on public.cellar from anon, authenticated';

/** One server as a call sees it; `seen` holds every answer since forget(). */
class Contender {
  seen = [];
  #url;
  #keys;
  #fetch;
  #sql;

  constructor({ url, keys, fetch, sql }) {
    this.#url = url;
    this.#keys = keys;
    this.#fetch = fetch;
    this.#sql = sql;
    this.anon = this.fresh();
    this.admin = this.fresh({ key: keys.service });
    this.ada = this.fresh({ token: this.token({ sub: people.ada }) });
    this.bob = this.fresh({ token: this.token({ sub: people.bob }) });
  }

  /** A client without a session, or with a token of ours. */
  fresh({ key = this.#keys.anon, token, headers, ...auth } = {}) {
    return createClient(this.#url, key, {
      auth: { persistSession: false, autoRefreshToken: false, ...auth },
      global: {
        fetch: (input, init) => this.#recorded(input, init),
        headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      },
    });
  }

  /** A signed token of an authenticated user; claims are added or replaced. */
  token(claims = {}, secret = this.#keys.secret) {
    const now = Math.floor(Date.now() / 1000);
    const usual = { aud: 'authenticated', role: 'authenticated', iat: now, exp: now + 3600 };
    return makeToken(secret, { ...usual, ...claims });
  }

  /** A request the client would not make. */
  async raw(path, { method = 'GET', key = this.#keys.anon, token, headers, body } = {}) {
    const response = await this.#recorded(`${this.#url}${path}`, {
      method,
      headers: {
        ...(key ? { apikey: key } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    try {
      return { body: JSON.parse(text) };
    } catch {
      return { text };
    }
  }

  forget() {
    this.seen.length = 0;
  }

  /** The rows as seed.sql has them. */
  async reset() {
    await this.#sql`select testing.reset()`;
  }

  async end() {
    await this.#sql.end();
  }

  async #recorded(input, init) {
    const response = await this.#fetch(input, init);
    this.seen.push({
      writes: !/^(GET|HEAD)$/.test(init?.method ?? 'GET') && String(input).includes('/rest/v1/'),
      status: response.status,
      headers: response.headers,
      length: (await response.clone().arrayBuffer()).byteLength,
    });
    return response;
  }
}

/** How the tests' own connections reach the cluster; nothing of theirs has to survive. */
const access = (server, database) => ({
  host: `${server.directory}/postgres/s`,
  user: 'postgres',
  database,
  onnotice: () => {},
  connection: { synchronous_commit: 'off' },
});

const connect = (server, database) => postgres({ ...access(server, database), max: 1 });

async function apply(sql, ...files) {
  for (const file of files) await sql.unsafe(await readSql(file));
}

/** Jessica with a database cluster of its own. */
async function startJessica(server) {
  const sql = connect(server, 'postgres');
  await apply(sql, 'schema.sql', 'seed.sql');
  await sql.unsafe(closed);
  const keys = {
    anon: server.keys.anon_key,
    service: server.keys.service_key,
    secret: server.keys.jwt_secret,
  };
  const jessica = new Contender({ url: server.url, keys, fetch, sql });
  await until('the schema is seen', async () => (await jessica.anon.from('genres').select()).status === 200);
  return jessica;
}

/** The other one runs in this process, on a second database of the same cluster. */
async function startOther(server) {
  console.error = () => {}; // it prints every refusal of PostgreSQL, and here many are wanted
  const maker = connect(server, 'postgres');
  await maker`create database other`;
  await maker.end();
  const sql = connect(server, 'other');
  const keys = {
    anon: 'sb_publishable_differential',
    service: 'sb_secret_differential',
    secret: 'a secret that only the differential test knows',
  };
  const connection = createPostgresConnection({
    url: '',
    postgresOptions: access(server, 'other'),
  });
  const app = new App({
    connection,
    api: { schemas: ['public'], max_rows: 1000, aggregates_enabled: false, plan_enabled: false },
    auth: {
      enabled: true,
      jwt_secret: keys.secret,
      publishable_key: keys.anon,
      secret_key: keys.service,
      email: { enable_confirmations: false },
      minimum_password_length: 6,
    },
    options: { drivers: { email: new InMemoryEmailDriver() }, server: { disableStudio: true } },
  });
  await app.ensureSystemSchema();
  await sql`grant usage on schema auth to anon, authenticated, service_role`; // for auth.uid()
  await apply(sql, 'schema.sql', 'seed.sql');
  const url = 'http://127.0.0.1:1';
  const inProcess = async (input, init) => app.fetch(new Request(input, init));
  const other = new Contender({ url, keys, fetch: inProcess, sql });
  await other.ada.from('notes').select();
  await sql.unsafe(closed);
  return { other, connection };
}

/** Both, ready for calls; end() leaves nothing behind. */
export async function startBoth() {
  const server = await Server.start();
  try {
    const jessica = await startJessica(server);
    const { other, connection } = await startOther(server);
    return {
      jessica,
      other,
      async end() {
        await Promise.all([jessica.end(), other.end(), connection.close()]);
        await server.remove();
      },
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}
