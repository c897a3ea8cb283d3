// Related rows inside rows, through the unmodified client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, http, signedUp } from './harness/clients.mjs';
import { shop, withSchema } from './harness/rest.mjs';
import { Server } from './harness/server.mjs';

let server;
let ada;
let bob;

before(async () => {
  server = await Server.start();
  await withSchema(server, shop, () => http(server, '/rest/v1/products?limit=0'));
  ada = await signedUp(server);
  bob = await signedUp(server);
  const orders = ada.client.from('orders');
  for (const { error } of [
    await orders.insert([
      { id: 1, note: 'first', product_id: 1, gift_id: 3 },
      { id: 2, note: 'second', product_id: 2 },
      { id: 3, note: 'third', state: 'done' },
    ], { defaultToNull: false }),
    await bob.client.from('orders').insert({ id: 4, note: 'his', product_id: 1 }),
    await ada.client.from('order_labels').insert([
      { order_id: 1, label_id: 1 }, { order_id: 1, label_id: 2 }, { order_id: 2, label_id: 1 }]),
    await ada.client.from('receipts').insert({ order_id: 1, paid: 5 }),
  ])
    assert.ifError(error);
});
after(async () => {
  await close(ada.client, bob.client);
  await server.remove();
});

async function rows(query) {
  const { data, error } = await query;
  assert.ifError(error);
  return data;
}
const from = (table, select) => ada.client.from(table).select(select).order('id');

test('many to one, one to many, one to one, many to many', async () => {
  assert.deepEqual(await rows(from('orders', 'id, products!product_id(name)')), [
    { id: 1, products: { name: 'tea' } },
    { id: 2, products: { name: 'coffee' } },
    { id: 3, products: null },
  ]);
  assert.deepEqual(await rows(from('products', 'id, orders!product_id(note)')), [
    { id: 1, orders: [{ note: 'first' }] },
    { id: 2, orders: [{ note: 'second' }] },
    { id: 3, orders: [] },
  ]);
  assert.deepEqual(await rows(from('orders', 'id, receipts(paid)').lte('id', 2)), [
    { id: 1, receipts: { paid: 5 } },
    { id: 2, receipts: null },
  ]);
  assert.deepEqual(await rows(from('orders', 'id, labels(label)').order('id', { referencedTable: 'labels' })), [
    { id: 1, labels: [{ label: 'urgent' }, { label: 'gift' }] },
    { id: 2, labels: [{ label: 'urgent' }] },
    { id: 3, labels: [] },
  ]);
});

test('by a key\'s name, a column, an alias, and to itself both ways', async () => {
  assert.deepEqual(await rows(from('orders', 'gift:orders_gift(name), product:product_id(name)').eq('id', 1)),
    [{ gift: { name: 'cake, "big"' }, product: { name: 'tea' } }]);
  assert.deepEqual(await rows(from('orders', 'x:products!orders_gift(id)').eq('id', 1)), [{ x: { id: 3 } }]);
  assert.deepEqual(await rows(from('people', 'name, boss(name), team:people!boss(name)').eq('id', 1)),
    [{ name: 'ada', boss: null, team: [{ name: 'bob' }, { name: 'cem' }] }]);
  assert.deepEqual(await rows(from('people', 'chief:boss(name)').eq('id', 2)), [{ chief: { name: 'ada' } }]);
});

test('nested, three deep', async () => {
  const data = await rows(from('products', 'name, orders!product_id(id, labels(label, orders(id)))').eq('id', 2));
  assert.deepEqual(data, [{ name: 'coffee', orders: [
    { id: 2, labels: [{ label: 'urgent', orders: [{ id: 1 }, { id: 2 }] }] }] }]);
});

test('filters, order, limit and logic on the embedded rows', async () => {
  const data = await rows(
    ada.client.from('labels').select('label, orders(note)').order('id')
      .neq('orders.note', 'x').order('note', { referencedTable: 'orders', ascending: false })
      .limit(1, { referencedTable: 'orders' }));
  assert.deepEqual(data, [
    { label: 'urgent', orders: [{ note: 'second' }] },
    { label: 'gift', orders: [{ note: 'first' }] },
    { label: 'later', orders: [] },
  ]);
  const either = await rows(
    ada.client.from('labels').select('orders(note)').eq('id', 1)
      .or('note.eq.first,note.eq.nothing', { referencedTable: 'orders' }));
  assert.deepEqual(either, [{ orders: [{ note: 'first' }] }]);
});

test('inner leaves out rows without a match; so does asking for null', async () => {
  const ids = async (query) => (await rows(query)).map((row) => row.id);
  assert.deepEqual(await ids(from('orders', 'id, labels!inner(label)').eq('labels.label', 'gift')), [1]);
  assert.deepEqual(await ids(from('orders', 'id, products!product_id!inner(name)')), [1, 2]);
  assert.deepEqual(await ids(from('orders', 'id, products!product_id()').is('products', null)), [3]);
  assert.deepEqual(await ids(from('orders', 'id, receipts()').not('receipts', 'is', null)), [1]);
  assert.deepEqual(await ids(from('orders', 'id, receipts(), labels()').or('receipts.not.is.null,labels.not.is.null')), [1, 2]);
  const counted = await ada.client.from('orders').select('id, labels!inner()', { count: 'exact', head: true });
  assert.equal(counted.count, 2);
});

test('spreads, of one row and of many', async () => {
  assert.deepEqual(await rows(from('orders', 'id, ...products!product_id(product:name, price)').lte('id', 1)),
    [{ id: 1, product: 'tea', price: 2.5 }]);
  assert.deepEqual(await rows(from('products', 'id, ...orders!product_id(notes:note)')),
    [{ id: 1, notes: ['first'] }, { id: 2, notes: ['second'] }, { id: 3, notes: [] }]);
});

test('related rows are counted', async () => {
  assert.deepEqual(await rows(from('products', 'id, orders!product_id(count)')), [
    { id: 1, orders: [{ count: 1 }] },
    { id: 2, orders: [{ count: 1 }] },
    { id: 3, orders: [{ count: 0 }] },
  ]);
  assert.equal((await ada.client.from('products').select('id, orders!product_id(id.count())')).error.code, 'PGRST123');
});

test('order by a related row\'s column', async () => {
  const data = await rows(ada.client.from('orders').select('id, products!product_id()')
    .order('products(name)', { ascending: true, nullsFirst: true }));
  assert.deepEqual(data.map((row) => row.id), [3, 2, 1]);
});

test('views are related like their tables', async () => {
  const data = await rows(ada.client.from('open_orders').select('order_number, products(name)').order('order_number'));
  assert.deepEqual(data, [
    { order_number: 1, products: { name: 'tea' } },
    { order_number: 2, products: { name: 'coffee' } },
  ]);
});

test('row security holds in embedded rows', async () => {
  const seen = await bob.client.from('products').select('id, orders!product_id(note)').eq('id', 1).single();
  assert.deepEqual(seen.data, { id: 1, orders: [{ note: 'his' }] });
  const none = await bob.client.from('labels').select('label, orders(note)').eq('id', 1).single();
  assert.deepEqual(none.data, { label: 'urgent', orders: [] });
});

test('the chat\'s own tables are related', async () => {
  const { data: room, error } = await ada.client.from('conversations').insert({ title: 't' }).select().single();
  assert.ifError(error);
  const { data } = await ada.client.from('conversations').select('title, messages(content)').eq('id', room.id).single();
  assert.deepEqual(data, { title: 't', messages: [] });
});

test('what is ambiguous lists the choices, what is unknown says so', async () => {
  const twice = await ada.client.from('orders').select('id, products(name)');
  assert.deepEqual([twice.status, twice.error.code], [300, 'PGRST201']);
  assert.equal(twice.error.message,
    "Could not embed because more than one relationship was found for 'orders' and 'products'");
  const choices = twice.error.details.map((one) => [one.cardinality, one.embedding, one.relationship].join(': '));
  assert.deepEqual(choices.sort(), [
    'many-to-one: orders with products: orders_gift using orders(gift_id) and products(id)',
    'many-to-one: orders with products: orders_product_id_fkey using orders(product_id) and products(id)',
  ]);
  assert.match(twice.error.hint, /'products!orders_gift'/);
  const none = await ada.client.from('orders').select('id, people(name)');
  assert.deepEqual([none.status, none.error.code], [400, 'PGRST200']);
  assert.equal(none.error.message, "Could not find a relationship between 'orders' and 'people' in the schema cache");
  const users = await ada.client.from('conversations').select('users(email)');
  assert.equal(users.error.code, 'PGRST200');
  const absent = await ada.client.from('orders').select('id').eq('products.name', 'tea');
  assert.deepEqual([absent.status, absent.error.code], [400, 'PGRST108']);
});
