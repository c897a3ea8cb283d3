// insert, upsert, update, delete and reads through the unmodified client.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { close, http, makeClient, signedUp } from './harness/clients.mjs';
import { recorder, shop, withSchema } from './harness/rest.mjs';
import { Server } from './harness/server.mjs';
import { until } from './harness/waiting.mjs';

let server;
let ada;
let bob;
let admin;
const wire = recorder();

before(async () => {
  server = await Server.start();
  await withSchema(server, shop, () => http(server, '/rest/v1/products?limit=0'));
  ada = await signedUp(server, { fetch: wire.fetch });
  bob = await signedUp(server);
  admin = makeClient(server, { key: server.keys.service_key });
});
after(async () => {
  await close(ada.client, bob.client, admin);
  await server.remove();
});

const range = () => wire.last().headers.get('content-range');
const applied = () => wire.last().headers.get('preference-applied');

describe('insert', () => {
  test('one row, nothing asked back', async () => {
    const { data, error, status } = await ada.client.from('orders').insert({ note: 'one' });
    assert.ifError(error);
    assert.equal(status, 201);
    assert.equal(data, null);
    assert.equal(wire.last().text, '');
    assert.equal(range(), '*/*');
  });

  test('several rows with unequal keys; what is missing is null, or the default', async () => {
    const rows = [{ id: 10, name: 'milk', price: 1 }, { id: 11, name: 'bun' }];
    const refused = await admin.from('products').insert(rows);
    assert.equal(refused.error.code, '23502', 'price is not null');
    const { data, error, status } = await admin
      .from('products')
      .insert(rows, { defaultToNull: false })
      .select('id,price')
      .order('id');
    assert.ifError(error);
    assert.equal(status, 201);
    assert.deepEqual(data, [{ id: 10, price: 1 }, { id: 11, price: 1.5 }]);
  });

  test('each row that lacks a key gets a default of its own', async () => {
    const { data, error } = await ada.client
      .from('orders')
      .insert([{ note: 'x', state: 'a' }, { note: 'y' }, { note: 'z' }], { defaultToNull: false })
      .select('id,state,owner');
    assert.ifError(error);
    assert.equal(new Set(data.map((row) => row.id)).size, 3);
    assert.deepEqual(data.map((row) => row.state), ['a', 'new', 'new']);
    assert.ok(data.every((row) => row.owner === ada.user.id));
  });

  test('a count of what was written', async () => {
    const { count, error } = await ada.client
      .from('orders')
      .insert([{ note: 'c' }, { note: 'd' }], { count: 'exact' });
    assert.ifError(error);
    assert.equal(count, 2);
    assert.equal(range(), '*/2');
    assert.equal(applied(), 'count=exact');
  });

  test('an empty list, an empty object', async () => {
    const none = await ada.client.from('orders').insert([]).select();
    assert.deepEqual([none.status, none.data], [201, []]);
    const one = await ada.client.from('orders').insert({}).select('state').single();
    assert.deepEqual([one.status, one.data], [201, { state: 'new' }]);
  });

  test('row security refuses a row of somebody else, and nothing is stored', async () => {
    const { error, status } = await bob.client
      .from('orders')
      .insert([{ note: 'mine' }, { note: 'forged', owner: ada.user.id }]);
    assert.equal(status, 403);
    assert.equal(error.code, '42501');
    assert.match(error.message, /row-level security policy for table "orders"/);
    assert.equal(await server.value("select count(*) from orders where note in ('mine', 'forged')"), '0');
    const signedOut = await makeClient(server).from('orders').insert({ owner: ada.user.id });
    assert.equal(signedOut.status, 401);
  });

  test('constraints, unknown columns and broken bodies', async () => {
    const twice = await admin.from('products').insert({ id: 1, name: 'again' });
    assert.deepEqual([twice.status, twice.error.code], [409, '23505']);
    const lost = await ada.client.from('orders').insert({ product_id: 999 });
    assert.deepEqual([lost.status, lost.error.code], [409, '23503']);
    const unknown = await ada.client.from('orders').insert({ nope: 1 });
    assert.deepEqual([unknown.status, unknown.error.code], [400, 'PGRST204']);
    assert.equal(unknown.error.message, "Could not find the 'nope' column of 'orders' in the schema cache");
    const post = (body) =>
      http(server, '/rest/v1/orders', { method: 'POST', token: ada.session.access_token, body });
    for (const body of ['{"a":', 'nonsense', '5', '', '{"note":1}x']) {
      const broken = await post(body);
      assert.deepEqual([broken.status, broken.json.code], [400, 'PGRST102'], body);
      assert.equal(broken.json.message, 'Empty or invalid json');
    }
    for (const body of ['[{"note":"a"},{"state":"b"}]', '[1]', '[{"note":"a"},null]']) {
      const uneven = await post(body);
      assert.equal(uneven.json.message, 'All object keys must match', body);
    }
  });

  test('headers-only tells where the row is', async () => {
    const made = await http(server, '/rest/v1/products', {
      method: 'POST',
      key: server.keys.service_key,
      token: server.keys.service_key,
      headers: { prefer: 'return=headers-only' },
      body: { id: 77, name: 'jam' },
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), '/products?id=eq.77');
    assert.equal(made.text, '');
  });
});

describe('upsert', () => {
  test('new rows are 201, known ones 200', async () => {
    const fresh = await admin.from('labels').upsert({ id: 20, label: 'a' });
    assert.deepEqual([fresh.error, fresh.status], [null, 201]);
    const known = await admin.from('labels').upsert({ id: 20, label: 'b' }).select();
    assert.deepEqual([known.status, known.data], [200, [{ id: 20, label: 'b' }]]);
    const both = await admin.from('labels').upsert([{ id: 20, label: 'c' }, { id: 21, label: 'd' }]);
    assert.equal(both.status, 201);
  });

  test('duplicates may be left alone', async () => {
    const { data, status } = await admin
      .from('labels')
      .upsert([{ id: 20, label: 'zzz' }, { id: 22, label: 'e' }], { ignoreDuplicates: true })
      .select();
    assert.equal(status, 201);
    assert.deepEqual(data, [{ id: 22, label: 'e' }]);
    assert.equal(await server.value('select label from labels where id = 20'), 'c');
  });

  test('by another unique column', async () => {
    const { data, error } = await admin
      .from('products')
      .upsert({ id: 1, name: 'tea', price: 9 }, { onConflict: 'name' })
      .select('id,price')
      .single();
    assert.ifError(error);
    assert.deepEqual(data, { id: 1, price: 9 });
    const none = await admin.from('products').upsert({ id: 1, name: 'tea' }, { onConflict: 'price' });
    assert.deepEqual([none.status, none.error.code], [400, '42P10']);
    const unknown = await admin.from('products').upsert({ id: 1, name: 'tea' }, { onConflict: 'x' });
    assert.equal(unknown.error.code, 'PGRST204');
  });
});

describe('update and delete', () => {
  test('change what row security lets through, and only that', async () => {
    await ada.client.from('orders').insert([{ id: 501, note: 'hers' }, { id: 502, note: 'hers' }]);
    const { status, data } = await bob.client.from('orders').update({ note: 'stolen' }).eq('note', 'hers').select();
    assert.deepEqual([status, data], [200, []]);
    const gone = await bob.client.from('orders').delete().gt('id', 0);
    assert.equal(gone.status, 204);
    assert.equal(await server.value("select count(*) from orders where note = 'hers'"), '2');
    const moved = await ada.client.from('orders').update({ owner: bob.user.id }).eq('id', 501);
    assert.deepEqual([moved.status, moved.error.code], [403, '42501']);
    const mine = await ada.client.from('orders').update({ state: 'done' }).eq('id', 501);
    assert.deepEqual([mine.status, mine.error], [204, null]);
    assert.equal(wire.last().text, '');
  });

  test('what changed comes back when asked for', async () => {
    const { data } = await ada.client
      .from('orders')
      .update({ note: 'changed', product_id: 2 })
      .in('id', [501, 502])
      .select('id, product:products!product_id(name)')
      .order('id');
    assert.deepEqual(data, [
      { id: 501, product: { name: 'coffee' } },
      { id: 502, product: { name: 'coffee' } },
    ]);
    const counted = await ada.client
      .from('orders')
      .update({ note: 'again' }, { count: 'exact' })
      .in('id', [501, 502]);
    assert.equal(counted.count, 2);
    assert.equal(range(), '0-1/2');
    const removed = await ada.client.from('orders').delete({ count: 'exact' }).eq('id', 502).select('id');
    assert.deepEqual([removed.data, removed.count], [[{ id: 502 }], 1]);
    assert.equal(range(), '*/1');
  });

  test('an empty change changes nothing', async () => {
    assert.deepEqual((await ada.client.from('orders').update({}).eq('id', 501).select()).data, []);
    assert.equal((await ada.client.from('orders').update({}).eq('id', 501)).status, 204);
  });

  test('single() undoes what was not one row', async () => {
    await ada.client.from('orders').insert([{ note: 'pair' }, { note: 'pair' }]);
    const { status, error } = await ada.client
      .from('orders').update({ note: 'broken' }).eq('note', 'pair').select().single();
    assert.deepEqual([status, error.code, error.details], [406, 'PGRST116', 'The result contains 2 rows']);
    assert.equal(await server.value("select count(*) from orders where note = 'pair'"), '2');
    const none = await ada.client.from('orders').delete().eq('note', 'nobody').select().maybeSingle();
    assert.deepEqual([none.error, none.data], [null, null]);
  });

  test('maxAffected() undoes what was too much', async () => {
    const { status, error } = await ada.client.from('orders').delete().eq('note', 'pair').maxAffected(1);
    assert.deepEqual([status, error.code], [400, 'PGRST124']);
    assert.equal(await server.value("select count(*) from orders where note = 'pair'"), '2');
    const fine = await ada.client.from('orders').delete().eq('note', 'pair').maxAffected(2);
    assert.deepEqual([fine.status, fine.error], [204, null]);
    assert.match(applied(), /handling=strict, max-affected=2/);
  });
});

describe('reads', () => {
  const names = (query) =>
    query.order('id').lte('id', 3).then(({ data, error }) => {
      assert.ifError(error);
      return data.map((row) => row.name.split(',')[0]);
    });
  const products = () => ada.client.from('products').select('name');

  test('every filter', async () => {
    const table = [
      [products().contains('tags', ['hot']), ['tea', 'coffee']],
      [products().containedBy('tags', ['sweet', 'x']), ['cake']],
      [products().overlaps('tags', ['bean', 'sweet']), ['coffee', 'cake']],
      [products().contains('meta', { kind: 'food' }), ['cake']],
      [products().rangeGt('span', '[1,4)'), ['coffee']],
      [products().rangeLt('span', '[6,7)'), ['tea']],
      [products().rangeGte('span', '[2,3)'), ['coffee']],
      [products().rangeLte('span', '[1,5)'), ['tea']],
      [products().rangeAdjacent('span', '[9,10)'), ['coffee']],
      [products().overlaps('span', '[4,6)'), ['tea', 'coffee']],
      [products().textSearch('name', 'tea | cake', { config: 'simple' }), ['tea', 'cake']],
      [products().textSearch('name', 'big cake', { type: 'plain', config: 'english' }), ['cake']],
      [products().textSearch('name', 'cake big', { type: 'phrase' }), ['cake']],
      [products().textSearch('name', '-tea -coffee', { type: 'websearch' }), ['cake']],
      [products().likeAnyOf('name', ['t%', 'co%']), ['tea', 'coffee']],
      [products().likeAllOf('name', ['%e%', 'c%']), ['coffee', 'cake']],
      [products().ilikeAnyOf('name', ['T%']), ['tea']],
      [products().regexMatch('name', '^c'), ['coffee', 'cake']],
      [products().regexIMatch('name', '^T'), ['tea']],
      [products().isDistinct('span', '[1,5)'), ['coffee', 'cake']],
      [products().not('span', 'is', null), ['tea', 'coffee']],
      [products().in('name', ['tea', 'cake, "big"']), ['tea']],
      [products().or('name.eq.tea,and(id.gte.2,meta->>kind.eq.food)'), ['tea', 'cake']],
      [products().or('id.in.(1,3),tags.cs.{bean}').not('id', 'eq', 3), ['tea', 'coffee']],
      [products().or('name.eq."cake, \\"big\\""'), ['cake']],
      [products().eq('meta->a->b->>1', '2'), ['tea']],
      [products().filter('id', 'eq(any)', '{1,2}'), ['tea', 'coffee']],
      [products().match({ id: 2, name: 'coffee' }), ['coffee']],
    ];
    for (const [at, [query, wanted]] of table.entries())
      assert.deepEqual(await names(query), wanted, `row ${at}`);
  });

  test('JSON paths, casts, aliases and orders', async () => {
    const { data, error } = await ada.client
      .from('products')
      .select('n:name, meta->a->b->0, meta->>kind, first:meta->a, price::text, tags->0')
      .lte('id', 3)
      .order('meta->>kind', { ascending: false })
      .order('id')
      .limit(1);
    assert.ifError(error);
    assert.deepEqual(data, [
      { n: 'cake, "big"', b: null, kind: 'food', first: null, price: '4.00', tags: 'sweet' },
    ]);
  });

  test('counts: exact, planned, estimated; head; ranges', async () => {
    const exact = await ada.client.from('labels').select('*', { count: 'exact', head: true });
    assert.equal(exact.count, 6);
    const part = await ada.client.from('labels').select('*', { count: 'exact' }).range(1, 2);
    assert.deepEqual([part.status, part.count, range()], [206, 6, '1-2/6']);
    assert.equal((await ada.client.from('labels').select('*', { count: 'estimated' })).count, 6);
    const planned = await ada.client.from('labels').select('*', { count: 'planned' });
    assert.ok(planned.count > 0);
    const beyond = await ada.client.from('labels').select('*', { count: 'exact' }).range(7, 9);
    assert.deepEqual([beyond.status, beyond.error.code], [416, 'PGRST103']);
    const byHeader = await http(server, '/rest/v1/labels?order=id', { headers: { range: '1-2' } });
    assert.deepEqual(byHeader.json.map((row) => row.id), [2, 3]);
  });

  test('CSV, stripped nulls and one object', async () => {
    const csv = await ada.client.from('products').select('id,name').lte('id', 3).order('id').csv();
    assert.equal(csv.data, 'id,name\n1,tea\n2,coffee\n3,"cake, ""big"""');
    assert.match(wire.last().headers.get('content-type'), /^text\/csv/);
    const empty = await ada.client.from('products').select('id').eq('id', -1).csv();
    assert.equal(empty.data, null, 'what the client makes of an empty text');
    const bare = await ada.client.from('products').select('id,span').eq('id', 3).stripNulls();
    assert.deepEqual(bare.data, [{ id: 3 }]);
  });

  test('what is not there says so', async () => {
    const table = await ada.client.from('nowhere').select();
    assert.deepEqual([table.status, table.error.code], [404, 'PGRST205']);
    const column = await ada.client.from('products').select('nope');
    assert.deepEqual([column.status, column.error.code, column.error.message],
      [400, '42703', 'column products.nope does not exist']);
    assert.equal((await ada.client.from('products').select('id.sum()')).error.code, 'PGRST123');
    assert.equal((await ada.client.schema('auth').from('users').select()).status, 406);
    assert.equal((await ada.client.from('products').select().eq('id', 'x')).error.code, '22P02');
  });

  test('a table is there as soon as it is made, and gone when it is dropped', async () => {
    await withSchema(server, 'create table public.fresh (a int)', () => http(server, '/rest/v1/fresh'));
    assert.deepEqual((await ada.client.from('fresh').insert({ a: 1 }).select()).data, [{ a: 1 }]);
    await withSchema(server, 'alter table public.fresh add b int default 2', async () => {
      const answer = await http(server, '/rest/v1/fresh?select=b');
      return { status: answer.status === 400 ? 404 : answer.status };
    });
    assert.deepEqual((await ada.client.from('fresh').select()).data, [{ a: 1, b: 2 }]);
    await server.sql('drop table public.fresh');
    assert.equal((await ada.client.from('fresh').select()).status, 404);
  });
});

describe('a flood of writes', () => {
  let small;
  before(async () => {
    small = await Server.start({ 'rest-writers': 1, 'rest-queue': 2 });
    await withSchema(small, `create function public.nap(s float8) returns void language sql as
      $$ select pg_sleep(s) $$; create table public.log (a int)`, () => http(small, '/rest/v1/log'));
  });
  after(() => small.remove());

  test('a client that leaves ends its statement, and no other', async () => {
    const eve = await signedUp(small);
    // Longer than the test may take, so that only leaving can end it.
    await withSchema(small, `alter role authenticated set statement_timeout = '300s';
      create table public.later (a int)`, () => http(small, '/rest/v1/later'));
    const napping = () => small.value(`select count(*) from pg_stat_activity
      where usename = 'authenticator' and state = 'active' and query like '%nap%'`);
    const leaving = new AbortController();
    const asked = eve.client.rpc('nap', { s: 250 }).abortSignal(leaving.signal);
    const answer = Promise.resolve(asked);
    await until('the statement runs', async () => Number(await napping()) === 1);
    leaving.abort();
    assert.ok((await answer).error);
    await until('the statement has ended', async () => Number(await napping()) === 0);
    // The only line serves again.
    assert.equal((await http(small, '/rest/v1/rpc/nap', { method: 'POST', body: { s: 0 } })).status, 204);
    await small.sql('alter role authenticated reset statement_timeout');
    await close(eve.client);
  });

  test('is told to come back, and disturbs neither reads nor the chat', async () => {
    const eve = await signedUp(small);
    const flood = Array.from({ length: 6 }, () =>
      http(small, '/rest/v1/rpc/nap', { method: 'POST', body: { s: 1 } }));
    const read = await eve.client.from('log').select();
    assert.equal(read.status, 200);
    const { data, error } = await eve.client.functions.invoke('enqueue-inference', { body: { content: 'hi' } });
    assert.ifError(error);
    assert.ok(data);
    const answers = await Promise.all(flood);
    const refused = answers.filter(({ status }) => status === 503);
    assert.equal(answers.filter(({ status }) => status === 204).length, 3, 'one works, two wait');
    assert.equal(refused.length, 3);
    for (const { headers, json } of refused) {
      assert.equal(json.code, 'overloaded');
      assert.ok(Number(headers.get('retry-after')) > 0);
    }
    await close(eve.client);
  });
});
