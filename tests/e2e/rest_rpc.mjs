// supabase.rpc() through the unmodified client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, http, signedUp } from './harness/clients.mjs';
import { recorder, shop, withSchema } from './harness/rest.mjs';
import { Server } from './harness/server.mjs';

const functions = `
  create function public.add(a int, b int default 10) returns int
    language sql immutable as 'select a + b';
  create function public.hello() returns text language sql stable as $$ select 'hi' $$;
  create function public.nothing(note text) returns void
    language sql as $$ insert into public.orders (note) values (note) $$;
  create function public.orders_of(s text) returns setof public.orders
    language sql stable as $$ select * from public.orders where state = s $$;
  create function public.one_label(l int) returns public.labels
    language sql stable as $$ select * from public.labels where id = l $$;
  create function public.pairs() returns table (n int, sq int)
    language sql immutable as $$ select i, i * i from generate_series(1, 5) i $$;
  create function public.numbers(upto int) returns setof int
    language sql immutable as $$ select generate_series(1, upto) $$;
  create function public.total(items int[]) returns bigint
    language sql immutable as $$ select sum(i) from unnest(items) i $$;
  create function public.joined(variadic words text[]) returns text
    language sql immutable as $$ select array_to_string(words, '-') $$;
  create function public.over(a int) returns text language sql immutable as $$ select 'int' $$;
  create function public.over(b text) returns text language sql immutable as $$ select 'text' $$;
  create function public.same(a int) returns int language sql immutable as 'select a';
  create function public.same(a int, b int default 1) returns int language sql immutable as 'select a';
  create function public.whole(json) returns json language sql immutable as $$ select $1 $$;
  create function public.who() returns jsonb language sql stable as $$
    select jsonb_build_object('uid', auth.uid(), 'role', current_user,
      'method', current_setting('request.method', true), 'path', current_setting('request.path', true),
      'header', current_setting('request.headers', true)::json ->> 'x-test',
      'cookie', current_setting('request.cookies', true)::json ->> 'c',
      'cookies_hidden', (current_setting('request.headers', true)::json -> 'cookie') is null) $$;
  create function public.sneaky() returns void language plpgsql stable as
    $$ begin perform public.nothing('sneaked'); end $$;
  create function public.teapot() returns text language plpgsql volatile as $$ begin
    perform set_config('response.status', '418', true);
    perform set_config('response.headers', '[{"X-Tea": "green"}, {"Cache-Control": "max-age=60"}]', true);
    return 'short'; end $$;
  create function public.raises(kind text) returns void language plpgsql as $$ begin
    if kind = 'plain' then raise exception 'no' using detail = 'd', hint = 'h'; end if;
    if kind = 'status' then raise sqlstate 'PT402' using message = 'pay'; end if;
    raise sqlstate 'PGRST' using message = '{"code":"123","message":"m","details":"d","hint":null}',
      detail = '{"status":444,"headers":{}}'; end $$;
  create function public.hidden() returns int language sql as 'select 1';
  revoke execute on function public.hidden() from public, anon, authenticated;
`;

let server;
let ada;
let bob;
const wire = recorder();
const call = (...args) => ada.client.rpc(...args);

before(async () => {
  server = await Server.start();
  await withSchema(server, shop + functions, () => http(server, '/rest/v1/rpc/hello'));
  ada = await signedUp(server, { fetch: wire.fetch, headers: { 'x-test': 'yes', cookie: 'c=1; d=2' } });
  bob = await signedUp(server);
  await ada.client.from('orders').insert([{ note: 'a', product_id: 1 }, { note: 'b', product_id: 2 }]);
});
after(async () => {
  await close(ada.client, bob.client);
  await server.remove();
});

async function value(query) {
  const { data, error } = await query;
  assert.ifError(error);
  return data;
}

test('scalars, with and without defaults, by POST and by GET', async () => {
  assert.equal(await value(call('add', { a: 1, b: 2 })), 3);
  assert.equal(await value(call('add', { a: 1 })), 11);
  assert.equal(await value(call('add', { a: 1, b: 2 }, { get: true })), 3);
  assert.equal(await value(call('hello')), 'hi');
  assert.equal(await value(call('add', { a: null })), null);
  assert.equal(await value(call('total', { items: [1, 2, 3] })), 6);
  assert.equal(await value(call('total', { items: [1, 2, 3] }, { get: true })), 6);
  assert.equal(await value(call('joined', { words: ['a', 'b'] })), 'a-b');
});

test('a function without a result is a 204 and has done its work', async () => {
  const { status, data, error } = await call('nothing', { note: 'by rpc' });
  assert.deepEqual([status, data, error], [204, null, null]);
  assert.equal(await server.value("select owner from orders where note = 'by rpc'"), ada.user.id);
});

test('rows are filtered, sorted, cut, chosen and embedded like a table', async () => {
  const data = await value(
    call('orders_of', { s: 'new' }).select('note, products!product_id(name)').in('note', ['a', 'b']).order('note', { ascending: false }).limit(1));
  assert.deepEqual(data, [{ note: 'b', products: { name: 'coffee' } }]);
  const counted = await call('pairs', {}, { count: 'exact', get: true }).gt('n', 1).range(0, 1);
  assert.deepEqual([counted.status, counted.count, counted.data], [206, 4, [{ n: 2, sq: 4 }, { n: 3, sq: 9 }]]);
  assert.deepEqual(await value(call('pairs').eq('n', 4).select('sq').single()), { sq: 16 });
  assert.deepEqual(await value(call('numbers', { upto: 3 })), [1, 2, 3]);
  assert.deepEqual(await value(call('one_label', { l: 2 })), { id: 2, label: 'gift' });
  const head = await call('pairs', {}, { head: true, count: 'exact' });
  assert.deepEqual([head.data, head.count], [null, 5]);
  const byPost = await call('total', { items: { not: 'an array' } }, { head: true });
  assert.equal(byPost.error?.code, '22P02');
});

test('row security holds inside functions', async () => {
  assert.equal((await value(bob.client.rpc('orders_of', { s: 'new' }))).length, 0);
  const anon = await http(server, '/rest/v1/rpc/orders_of?s=new');
  assert.deepEqual(anon.json, []);
  const hidden = await call('hidden');
  assert.deepEqual([hidden.status, hidden.error.code], [403, '42501']);
});

test('overloads are told apart by the arguments, or not at all', async () => {
  assert.equal(await value(call('over', { a: 1 })), 'int');
  assert.equal(await value(call('over', { b: 'x' })), 'text');
  const both = await call('same', { a: 1 });
  assert.deepEqual([both.status, both.error.code], [300, 'PGRST203']);
  assert.match(both.error.message, /public\.same\(a => integer\), public\.same\(a => integer, b => integer\)/);
});

test('what is not there says what was looked for', async () => {
  const name = await call('nope', { x: 1, y: 2 });
  assert.deepEqual([name.status, name.error.code], [404, 'PGRST202']);
  assert.equal(name.error.message, 'Could not find the function public.nope(x, y) in the schema cache');
  assert.equal(name.error.details,
    'Searched for the function public.nope with parameters x, y or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.');
  const bare = await call('nope');
  assert.equal(bare.error.message, 'Could not find the function public.nope without parameters in the schema cache');
  assert.equal((await call('add', { a: 1, c: 2 })).error.code, 'PGRST202');
  assert.equal((await call('add', { b: 2 })).error.code, 'PGRST202');
});

test('one unnamed json parameter takes the whole body', async () => {
  assert.deepEqual(await value(call('whole', { any: ['thing'] })), { any: ['thing'] });
  const list = await http(server, '/rest/v1/rpc/whole', { method: 'POST', body: [1, 2] });
  assert.deepEqual(list.json, [1, 2]);
});

test('functions see who asks, and how', async () => {
  const seen = await value(call('who', {}, { get: true }));
  assert.deepEqual(seen, {
    uid: ada.user.id, role: 'authenticated', method: 'GET', path: '/rpc/who',
    header: 'yes', cookie: '1', cookies_hidden: true,
  });
});

test('a stable function cannot write, a GET cannot either', async () => {
  const stable = await call('sneaky');
  assert.deepEqual([stable.status, stable.error.code], [405, '25006']);
  const get = await call('nothing', { note: 'get' }, { get: true });
  assert.deepEqual([get.status, get.error.code], [405, '25006']);
  const put = await http(server, '/rest/v1/rpc/hello', { method: 'PUT', body: {} });
  assert.deepEqual([put.status, put.json.code], [405, 'PGRST101']);
});

test('a function chooses status and headers', async () => {
  await call('teapot');
  const { status, headers, text } = wire.last();
  assert.deepEqual([status, headers.get('x-tea'), headers.get('cache-control'), text],
    [418, 'green', 'max-age=60', '"short"']);
});

test('raised errors keep their words', async () => {
  const plain = await call('raises', { kind: 'plain' });
  assert.deepEqual([plain.status, plain.error.code, plain.error.message, plain.error.details, plain.error.hint],
    [400, 'P0001', 'no', 'd', 'h']);
  assert.equal((await call('raises', { kind: 'status' })).status, 402);
  const own = await call('raises', { kind: 'own' });
  assert.deepEqual([own.status, own.error.code, own.error.message], [444, '123', 'm']);
});

test('a new function is there at once', async () => {
  await withSchema(server, 'create function public.late() returns int language sql as $$ select 7 $$',
    () => http(server, '/rest/v1/rpc/late'));
  assert.equal(await value(call('late')), 7);
  await server.sql('drop function public.late()');
  assert.equal((await call('late')).status, 404);
});
