// What must hold after every fault: each accepted message is answered exactly once, nobody
// hears a token twice, and what should live lives.
import assert from 'node:assert/strict';
import { second, until } from '../../e2e/harness/waiting.mjs';
import { describe } from './load.mjs';
import { assertVitals } from './vitals.mjs';

const final = ['complete', 'cancelled', 'error'];
const statusOfEnd = { completed: 'complete', failed: 'error', cancelled: 'cancelled' };
const jobOfStatus = { complete: 'done', cancelled: 'cancelled', error: 'dead' };

/**
 * All three, after recovery. Waits until the replies have ended.
 * @param {Cluster} cluster
 * @param {Load} load stopped
 * @param {object} [more]
 * @param {Listener[]} [more.listeners]
 * @param {Map} [more.vitals] of vitalsOf()
 * @param {number} [more.limit] ms for the last reply to end
 * @param {boolean} [more.endsHeard] no node died: who was joined must hear each end
 */
export async function assertInvariants(cluster, load, more = {}) {
  const { listeners = [], vitals, limit = 60 * second, endsHeard = false } = more;
  await allEnd(cluster, load, listeners, limit);
  const people = load.people.map(({ id }) => `'${id}'`).join(',');
  const answers = await answersOf(cluster, load, `m.user_id in (${people})`);
  noneLost(load, answers);
  await lastEventsHeard(answers, listeners);
  const breaches = new Breaches(cluster, listeners);
  await breaches.look(answers, answeredOnce);
  await breaches.look(answers, (answer) => heardOnce(answer, listeners));
  if (endsHeard) await breaches.look(answers, (answer) => endHeard(answer, listeners));
  breaches.throwAny();
  await Promise.all(listeners.map((listener) => listener.stop()));
  if (vitals) await assertVitals(vitals);
  return answers;
}

/** What is wrong with answers: each kind once, with how often and what is known of one. */
class Breaches {
  #cluster;
  #listeners;
  #kinds = new Map();

  constructor(cluster, listeners) {
    this.#cluster = cluster;
    this.#listeners = listeners;
  }

  async look(answers, check) {
    for (const answer of answers)
      try {
        check(answer);
      } catch (error) {
        const kind = error.message;
        if (!this.#kinds.has(kind)) {
          const evidence = await evidenceOf(this.#cluster, answer, this.#listeners);
          this.#kinds.set(kind, { error, evidence, count: 0 });
        }
        ++this.#kinds.get(kind).count;
      }
  }

  throwAny() {
    if (this.#kinds.size === 0) return;
    const told = [...this.#kinds].map(
      ([kind, { count, evidence }]) => `${count} x ${kind}\n${evidence}`,
    );
    throw new Error(told.join('\n\n'), { cause: [...this.#kinds.values()][0].error });
  }
}

// --- 1: no committed message is lost ---------------------------------------------------

async function allEnd(cluster, load, listeners, limit) {
  const people = load.people.map(({ id }) => `'${id}'`).join(',');
  const open = `
    select m.id from public.messages m
    left join public.messages r on r.reply_to = m.id and r.role = 'assistant'
    where m.user_id in (${people}) and m.role = 'user'
      and coalesce(r.status, 'none') not in ('${final.join("','")}')`;
  let left = [];
  await until(
    'every reply ends',
    async () => (left = await cluster.sql(open)).length === 0,
    limit,
    200,
  ).catch(async (error) => {
    if (left.length === 0) throw error;
    const [stuck] = await answersOf(cluster, load, `m.id = '${left[0][0]}'`);
    const evidence = await evidenceOf(cluster, stuck, listeners);
    throw new Error(`${error.message}: ${left.length} have not; one of them:\n${evidence}`);
  });
}

function noneLost(load, answers) {
  const stored = new Set(answers.map(({ client_id }) => client_id));
  assert.equal(stored.size, answers.length, 'no client_id twice');
  for (const send of load.sends.values())
    if (send.receipt) assert.ok(stored.has(send.client_id), `lost: ${describe(send)}`);
}

/** User messages with what answers them, and the send they came from. */
async function answersOf(cluster, load, where) {
  const rows = await cluster.rows(`
    select m.id, m.client_id, m.content, m.conversation_id,
      (select coalesce(json_agg(r order by r.seq), '[]') from public.messages r
        where r.reply_to = m.id and r.role = 'assistant') replies,
      (select coalesce(json_agg(j order by j.id), '[]') from public.inference_jobs j
        where j.message_id = m.id and j.kind = 'inference') jobs,
      (select coalesce(json_agg(q), '[]') from jessica.ready q
        join public.inference_jobs j on j.id = q.id where j.message_id = m.id) ready,
      (select coalesce(json_agg(q), '[]') from jessica.running q
        join public.inference_jobs j on j.id = q.id where j.message_id = m.id) running
    from public.messages m where m.role = 'user' and ${where}`);
  return rows.map((row) => ({ ...row, send: load.sends.get(row.client_id) }));
}

function answeredOnce({ client_id, id, content, replies, jobs, ready, running, send }) {
  assert.ok(send, `a message that nobody sent: ${client_id}`);
  assert.equal(content, send.content);
  assert.equal(replies.length, 1, 'one assistant row');
  assert.equal(jobs.length, 1, 'one job');
  const [[reply], [job]] = [replies, jobs];
  if (send.receipt) {
    const { message_id, reply_id, job_id } = send.receipt;
    assert.deepEqual([message_id, reply_id, job_id], [id, reply.id, job.id], 'the receipt');
  }
  assert.ok(final.includes(reply.status), reply.status);
  if (reply.status === 'complete') {
    assert.ok(reply.content.length > 0, 'a reply has text');
    assert.ok(reply.usage, 'a reply has usage');
  }
  assert.deepEqual([...ready, ...running], [], 'no node would run it again');
  assert.equal(job.status, jobOfStatus[reply.status], `job of a reply that is ${reply.status}`);
}

// --- 2: no token twice or out of order to one subscriber -------------------------------

function heardOnce({ conversation_id, replies: [reply], jobs: [job] }, listeners) {
  const speakers = new Map(); // attempt -> the node that streamed it
  for (const listener of listeners) {
    if (listener.conversation !== conversation_id) continue;
    let known = { attempt: 0, text: '' };
    for (const reading of listener.readings(reply.id)) {
      if (reading.attempt === 0) continue;
      assert.ok(reading.attempt >= known.attempt, 'attempts only grow, over all sockets');
      if (reading.attempt === known.attempt)
        assert.ok(reading.text.startsWith(known.text), 'a snapshot goes on where one had been');
      known = reading;
      if (reading.deltas > 0) {
        const node = reading.segment.node.name;
        const speaker = speakers.get(reading.attempt) ?? node;
        assert.equal(node, speaker, `attempt ${reading.attempt} comes from one node`);
        speakers.set(reading.attempt, speaker);
      }
      if (!reading.end) continue;
      assert.equal(reply.status, statusOfEnd[reading.end], `the row of a reply.${reading.end}`);
      assert.equal(reading.attempt, job.attempts, 'the attempt that ended is the last');
      if (reading.end !== 'failed') // whose row has the text of the last checkpoint
        assert.equal(reading.text, reply.content ?? '', 'what was heard is what is stored');
    }
  }
}

/** Open sockets that heard something of a reply, but not its end. */
function waitingFor({ replies: [reply] }, listeners) {
  const isOurs = ({ payload }) => payload?.id === reply?.id;
  const isEnd = ({ event }) => /^reply\.(completed|failed|cancelled)$/.test(event);
  return listeners
    .flatMap(({ segments }) => segments)
    .filter(({ closedAt, heard: { items } }) => {
      const ours = items.filter(isOurs);
      return closedAt === null && ours.length > 0 && !ours.some(isEnd);
    });
}

/** The last event comes after the commit that we saw: some time for it to arrive. */
async function lastEventsHeard(answers, listeners) {
  const late = () => answers.some((answer) => waitingFor(answer, listeners).length > 0);
  await until('the last events', () => !late(), 3 * second).catch(() => {}); // endHeard() judges
}

function endHeard(answer, listeners) {
  const [deaf] = waitingFor(answer, listeners);
  assert.ok(!deaf, 'who was joined while it was written has not heard the end of a reply');
}

// --- what was sent and heard -----------------------------------------------------------

/** All that is known about one message: sent, stored, queued, heard. */
async function evidenceOf(cluster, answer, listeners) {
  const { send, replies, jobs, ready, running } = answer;
  const leases = await cluster.rows('select lease, node, until, now() from jessica.nodes');
  const lines = [
    `sent:    ${send ? describe(send) : answer.client_id}`,
    `replies: ${JSON.stringify(replies)}`,
    `jobs:    ${JSON.stringify(jobs)}`,
    `queue:   ready ${JSON.stringify(ready)} running ${JSON.stringify(running)}`,
    `leases:  ${JSON.stringify(leases)}`,
  ];
  for (const listener of listeners) {
    if (listener.conversation !== answer.conversation_id) continue;
    for (const { node, joinedAt, closedAt, heard } of listener.segments) {
      const left = closedAt ? `+${closedAt - joinedAt} ms` : 'now';
      const life = `${new Date(joinedAt).toISOString()} to ${left}`;
      lines.push(`heard on ${node.name}, ${life}:`, ...told(heard.items, replies[0]?.id, joinedAt));
    }
  }
  for (const node of cluster.nodes) lines.push(`log of ${node.name}:`, node.tail(8));
  return lines.join('\n');
}

/** The events of a reply, a line each; deltas that follow each other share one. */
function told(events, replyId, since) {
  const lines = [];
  let run = null;
  for (const { event, payload, at } of events) {
    if (payload?.id !== replyId) continue;
    const { id, attempt, first_seq, seq, text, ...rest } = payload;
    if (event === 'reply.delta' && run?.attempt === attempt && run.seq + 1 === first_seq) {
      Object.assign(run, { seq, until: at, count: run.count + 1, text: run.text + text });
    } else {
      run = { event, attempt, first_seq, seq, from: at, until: at, count: 1, text, rest };
      lines.push(run);
    }
  }
  return lines.map(({ event, attempt, first_seq, seq, from, until: last, count, text, rest }) => {
    const times = count > 1 ? `+${from - since}..+${last - since} ${count} x` : `+${from - since}`;
    const numbers = [first_seq, seq].filter((each) => each !== undefined).join('..');
    const said = text === undefined ? '' : ` ${JSON.stringify(text.slice(0, 60))}`;
    return `  ${times} ${event} attempt ${attempt} ${numbers}${said} ${JSON.stringify(rest)}`;
  });
}
