// Clients as an application makes them: the unmodified package, Node's own WebSocket.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { createClient } from '@supabase/supabase-js';
import { Inbox, patience, within } from './waiting.mjs';

export const versions = ['1.0.0', '2.0.0'];
export const password = 'a long enough password';
export const newEmail = () => `${randomUUID()}@example.test`;

/** A client that keeps nothing on disk and refreshes only when told to. */
export function makeClient(server, { key = server.keys.anon_key, vsn, headers, fetch } = {}) {
  return createClient(server.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: vsn ? { vsn } : {},
    global: { headers, fetch },
  });
}

/** A client with a fresh account signed in: {client, user, session, email}. */
export async function signedUp(server, options) {
  const client = makeClient(server, options);
  const email = newEmail();
  const { data, error } = await client.auth.signUp({ email, password });
  assert.ifError(error);
  return { client, email, user: data.user, session: data.session };
}

/** A second device of the same account. */
export async function signedIn(server, email, options) {
  const client = makeClient(server, options);
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  assert.ifError(error);
  return { client, email, user: data.user, session: data.session };
}

/** Plain HTTP with the API key. */
export async function http(server, path, { method = 'GET', token, key, headers, body } = {}) {
  const apikey = key === undefined ? server.keys.anon_key : key;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(apikey ? { apikey } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: asJson(text) };
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Resolves at SUBSCRIBED; rejects at any other status. */
export function subscribed(channel, limit = patience) {
  return within(
    limit,
    `SUBSCRIBED on ${channel.topic}`,
    new Promise((resolve, reject) => {
      channel.subscribe((status, error) => {
        if (status === 'SUBSCRIBED') resolve(channel);
        else reject(error ?? new Error(status));
      });
    }),
  );
}

/** Statuses of a channel as they come: an Inbox of {status, error}. */
export function statuses(channel) {
  const inbox = new Inbox();
  channel.subscribe((status, error) => inbox.push({ status, error: error?.message }));
  return inbox;
}

/** Joins a conversation's private channel the way docs tell frontends to. */
export async function joinConversation(client, id, events = new Inbox()) {
  await client.auth.getSession();
  await client.realtime.setAuth();
  const channel = client.channel(`conversation:${id}`, {
    config: { private: true, broadcast: { ack: true, self: false } },
  });
  channel.on('broadcast', { event: '*' }, ({ event, payload }) => events.push({ event, payload }));
  await subscribed(channel);
  return { channel, events };
}

/** enqueue-inference through functions.invoke; fails the test when it is refused. */
export async function send(client, content, more = {}) {
  const { data, error } = await client.functions.invoke('enqueue-inference', {
    body: { content, ...more },
  });
  if (error) assert.fail(`enqueue-inference: ${await error.context?.text?.() ?? error}`);
  return data;
}

/** The refusal of enqueue-inference: {status, body}. */
export async function refusedSend(client, body) {
  const { data, error } = await client.functions.invoke('enqueue-inference', { body });
  assert.equal(data, null);
  assert.equal(error?.name, 'FunctionsHttpError');
  return { status: error.context.status, body: await error.context.json() };
}

export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** A token with these claims, signed by `secret` unless another algorithm is named. */
export function makeToken(secret, claims, algorithm = 'HS256') {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: algorithm, typ: 'JWT' })}.${part(claims)}`;
  if (algorithm === 'none') return `${signed}.`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export async function close(...clients) {
  for (const client of clients) {
    await client.removeAllChannels();
    await client.realtime.disconnect();
  }
}
