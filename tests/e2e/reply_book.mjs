// The bookkeeping of reply events that the page and the adapter rely on; no server.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ReplyBook } from '../../web/src/reply_book.js';

const id = 'r';
let book;
beforeEach(() => {
  book = new ReplyBook();
});

const started = (attempt = 1) => book.apply('reply.started', { id, attempt });
const delta = (first_seq, seq, text, attempt = 1) =>
  book.apply('reply.delta', { id, attempt, first_seq, seq, text });
const snapshot = (seq, text, attempt = 1) =>
  book.apply('reply.snapshot', { id, attempt, seq, text, status: 'streaming' });
const completed = (seq, attempt = 1) => book.apply('reply.completed', { id, attempt, seq });
const row = (status, content) => ({ id, status, content });

test('deltas in order make the text', () => {
  assert.equal(started(), 'changed');
  assert.equal(delta(1, 1, 'a'), 'changed');
  assert.equal(delta(2, 4, 'bcd'), 'changed');
  assert.equal(completed(4), 'changed');
  assert.deepEqual(
    { text: book.find(id).text, status: book.find(id).status },
    { text: 'abcd', status: 'complete' },
  );
});

test('a delta seen already changes nothing', () => {
  started();
  delta(1, 2, 'ab');
  assert.equal(delta(1, 1, 'a'), 'stale');
  assert.equal(delta(2, 2, 'b'), 'stale');
  assert.equal(book.find(id).text, 'ab');
});

test('a missing token is a gap and leaves the text alone', () => {
  started();
  delta(1, 1, 'a');
  assert.equal(delta(3, 3, 'c'), 'gap');
  assert.equal(book.find(id).text, 'a');
});

test('a delta that overlaps what is known cannot be cut: gap', () => {
  started();
  delta(1, 2, 'ab');
  assert.equal(delta(2, 3, 'bc'), 'gap');
});

test('a reply met in the middle without snapshot is a gap', () => {
  assert.equal(delta(5, 5, 'e'), 'gap');
  assert.equal(book.find(id), undefined);
});

test('a snapshot stands for all before it, an older one is ignored', () => {
  assert.equal(snapshot(3, 'abc'), 'changed');
  assert.equal(delta(4, 4, 'd'), 'changed');
  assert.equal(snapshot(2, 'ab'), 'stale');
  assert.equal(book.find(id).text, 'abcd');
});

test('a new attempt discards the text, and the old one is not heard any more', () => {
  started();
  delta(1, 2, 'ab');
  assert.equal(book.apply('reply.reset', { id, attempt: 2, reason: 'retry' }), 'changed');
  assert.equal(book.find(id).text, '');
  assert.equal(delta(3, 3, 'c', 1), 'stale');
  assert.equal(delta(1, 1, 'x', 2), 'changed');
  assert.equal(book.find(id).text, 'x');
});

test('an end that names tokens we have not seen is a gap', () => {
  started();
  delta(1, 1, 'a');
  assert.equal(completed(2), 'gap');
  assert.equal(book.find(id).status, 'streaming');
});

test('a failed reply keeps its text and says why', () => {
  started();
  delta(1, 1, 'a');
  book.apply('reply.failed', { id, attempt: 1, seq: 1, error: { code: 'x', message: 'broke' } });
  assert.deepEqual(book.find(id), {
    id,
    attempt: 1,
    seq: 1,
    text: 'a',
    status: 'error',
    error: 'broke',
    memories: [],
  });
});

test('a finished row is the truth, and late events do not reopen it', () => {
  assert.equal(book.adopt(row('complete', 'whole')).text, 'whole');
  assert.equal(started(), 'stale');
  assert.equal(delta(1, 1, 'w'), 'stale');
  assert.equal(completed(1), 'stale');
  assert.equal(book.find(id).text, 'whole');
});

test('a row that is still running does not undo what was heard', () => {
  snapshot(2, 'ab');
  assert.equal(book.adopt(row('pending', '')).text, 'ab');
});

test('a failed reply that is tried again starts over', () => {
  book.adopt(row('error', 'half'));
  assert.equal(book.apply('reply.reset', { id, attempt: 6, reason: 'retry' }), 'changed');
  assert.equal(delta(1, 1, 'n', 6), 'changed');
  assert.equal(book.find(id).text, 'n');
});

test('a reply that goes on keeps its text, for those who see it begin to and those who come back', () => {
  started();
  delta(1, 2, 'ab');
  book.apply('reply.cancelled', { id, attempt: 1, seq: 2 });
  book.apply('reply.reset', { id, attempt: 2, reason: 'continue' });
  started(2);
  assert.equal(snapshot(0, 'ab', 2), 'changed');
  assert.equal(delta(1, 1, 'c', 2), 'changed');
  book.apply('reply.completed', { id, attempt: 2, seq: 1, finish_reason: 'length' });
  assert.deepEqual([book.find(id).text, book.find(id).status], ['abc', 'complete']);
  assert.equal(book.find(id).finish_reason, 'length');
  assert.equal(snapshot(4, 'abcdef', 2), 'stale', 'of the attempt that ended');
  assert.equal(snapshot(1, 'abcd', 3), 'changed', 'it went on while nobody was here');
  assert.equal(book.find(id).text, 'abcd');
});

test('an event nobody knows is ignored', () => {
  assert.equal(book.apply('reply.dreamt', { id, attempt: 1, seq: 0 }), 'stale');
});

test('memories are learned from the start or from a snapshot, and kept', () => {
  const memory = { message_id: 'm', conversation_id: 'c', score: 0.7, excerpt: 'a dog' };
  book.apply('reply.snapshot', {
    id, attempt: 1, seq: 1, text: 'a', status: 'streaming', memories: [memory],
  });
  snapshot(2, 'ab');
  assert.deepEqual(book.find(id).memories, [memory]);
});

test('a tool is known when it begins, and how it ended', () => {
  const tool = (call_id, status, attempt = 1) =>
    book.apply('reply.tool', { id, attempt, call_id, name: 'clock', status });
  started();
  assert.equal(tool('a', 'running'), 'changed');
  tool('b', 'running');
  tool('a', 'done');
  assert.deepEqual(book.find(id).tools, [
    { id: 'a', name: 'clock', status: 'done' },
    { id: 'b', name: 'clock', status: 'running' },
  ]);
  started(2);
  assert.equal(book.find(id).tools, undefined);
  assert.equal(tool('b', 'failed'), 'stale'); // of the attempt before
});

test("a finished row knows its reply's tools", () => {
  const tools = [{ id: 'a', name: 'clock', arguments: '{}', result: '', failed: true, took_ms: 1 }];
  assert.deepEqual(book.adopt({ ...row('complete', 'x'), tools }).tools, [
    { id: 'a', name: 'clock', status: 'failed' },
  ]);
});
