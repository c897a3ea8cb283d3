// Jobs that no node has seen being made: by plain SQL and by the RPC.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe } from 'node:test';
import { second } from '../e2e/harness/waiting.mjs';
import { testOnCluster } from './harness/cluster.mjs';
import { assertInvariants } from './harness/invariants.mjs';
import { Listener } from './harness/listener.mjs';
import { Load } from './harness/load.mjs';
import { vitalsOf } from './harness/vitals.mjs';

const pace = { 'inference-tokens-per-second': 60 };
const each = 8; // jobs of each way

const byRpc = ({ client_id, person, conversation, content }) =>
  `begin; set local role authenticated;
   select set_config('request.jwt.claims', '{"sub":"${person.id}","role":"authenticated"}', true);
   select * from public.enqueue_inference('${conversation}', '${content}', '${client_id}'); commit`;

const byRole = (role, runAt) => ({ client_id, person, conversation, content }) => {
  const [message, reply] = [randomUUID(), randomUUID()];
  return `begin; set local role ${role};
    insert into public.messages (id, conversation_id, user_id, role, content, client_id)
    values ('${message}', '${conversation}', '${person.id}', 'user', '${content}', '${client_id}');
    insert into public.messages (id, conversation_id, user_id, role, status, reply_to)
    values ('${reply}', '${conversation}', '${person.id}', 'assistant', 'pending', '${message}');
    insert into public.inference_jobs
      (user_id, conversation_id, message_id, reply_id, run_at)
    values ('${person.id}', '${conversation}', '${message}', '${reply}', ${runAt});
    commit`;
};

const ways = {
  'the RPC enqueue_inference': byRpc,
  'service_role': byRole('service_role', 'now()'),
  'postgres': byRole('postgres', 'now()'),
  'postgres, for later': byRole('postgres', "now() + interval '3 s'"),
};

describe('jobs that were inserted', { concurrency: 2 }, () => {
  for (const count of [1, 2])
    testOnCluster(`are run, each once, nodes: ${count}`, async (t, cluster) => {
      const nodes = [];
      while (nodes.length < count) nodes.push(await cluster.node(pace));
      const people = await cluster.people(4);
      const load = new Load(t.name, nodes, people);
      const listeners = await Promise.all(
        people.flatMap((person) => nodes.map((node) => Listener.join(node, person))),
      );
      const vitals = await vitalsOf(nodes);
      for (const [way, statement] of Object.entries(ways))
        for (let number = 0; number < each; ++number) {
          const send = load.adopt({
            client_id: `${t.name}: ${way} ${number}`,
            person: people[number % people.length],
            content: `Inserted as number ${number}, who will answer?`,
          });
          await cluster.sql(statement(send));
        }
      const answers = await assertInvariants(cluster, load, { listeners, vitals, endsHeard: true });
      assert.equal(answers.length, each * Object.keys(ways).length);
      const waits = answers.map(({ client_id, jobs: [job], replies: [reply] }) => {
        assert.equal(reply.status, 'complete');
        assert.equal(job.attempts, 1);
        const took = new Date(reply.updated_at) - new Date(job.created_at);
        if (client_id.includes('for later'))
          assert.ok(took >= 3 * second, `started before its time: complete after ${took} ms`);
        return took;
      });
      t.diagnostic(`insert -> complete: ${Math.min(...waits)} to ${Math.max(...waits)} ms`);
    });
});
