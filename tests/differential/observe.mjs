// What a client sees of a call, with what differs by nature (times, tokens, made-up ids) replaced.
import { people } from './contenders.mjs';

// Headers that the client or an application reads.
const headers = [
  'content-range', 'preference-applied', 'location', 'x-total-count', 'link', 'x-tea', 'x-own',
];
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?$/;
const token = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const day = 24 * 3600 * 1000;
const fixed = new Set(Object.values(people));

const isMade = (id) => !fixed.has(id) && !/^(\d)\1{7}-/.test(id);
const isNow = (text) => time.test(text) && Math.abs(Date.parse(text) - Date.now()) < day;
const isToken = (text) => text.length > 60 && token.test(text);

function plainText(text, key) {
  if (key === 'refresh_token') return '<refresh token>';
  if (isToken(text)) return '<token>';
  if (isNow(text)) return '<now>';
  return text.replace(uuid, (id) => (isMade(id) ? '<uuid>' : id));
}

function plainError(error) {
  const { name, message, code, details, hint, status, reasons } = error;
  return plain({ name, message, code, details, hint, status, reasons });
}

/** A copy of JSON kind, keys sorted, that two runs have in common. */
function plain(value, key) {
  if (typeof value === 'string') return plainText(value, key);
  if (typeof value === 'number' && /^(exp|iat|expires_at|timestamp)$/.test(key ?? '')) return '<time>';
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((one) => plain(one));
  if (value instanceof Error) return plainError(value);
  return Object.fromEntries(
    Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort()
      .map((name) => [name, plain(value[name], name)]),
  );
}

/** A client's answer without what the exchange says already. */
function answer(value) {
  if (value === null || typeof value !== 'object' || !('error' in value)) return plain(value);
  const { data, error, count } = value;
  return plain({ data, error, ...(count === null || count === undefined ? {} : { count }) });
}

/** A header's value; how many accounts there are is no matter of the call. */
const plainHeader = (name, value) =>
  (name === 'x-total-count' ? '<n>' : value)
    .replace(/page=\d+(?=&per_page=\d+>; rel="last")/, 'page=<n>')
    .replace(uuid, (id) => (isMade(id) ? '<uuid>' : id));

function exchange({ status, headers: sent, length }) {
  const seen = { status };
  for (const name of headers) if (sent.has(name)) seen[name] = plainHeader(name, sent.get(name));
  if (length > 0) seen.type = sent.get('content-type')?.split(';')[0] ?? null;
  return seen;
}

/** Runs a call on rows as they were; it gives one answer of the client, or an array of them. */
export async function observe(contender, call) {
  contender.forget();
  let result;
  try {
    const given = await call(contender);
    result = Array.isArray(given) ? given.map(answer) : answer(given);
  } catch (error) {
    result = { threw: plainError(error) };
  }
  const exchanges = contender.seen.map(exchange);
  if (contender.seen.some(({ writes }) => writes)) await contender.reset();
  return { exchanges, result };
}
