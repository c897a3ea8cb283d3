// What the server's binary tells whoever runs it: usage, and every start that cannot be.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { access, chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { second, until, within } from './harness/waiting.mjs';

const binary =
  process.env.JESSICA_BINARY ??
  fileURLToPath(new URL('../../build/release/jessica', import.meta.url));
const limit = 60 * second;

let home;
before(async () => {
  home = await mkdtemp('/tmp/jessica-operator-');
  await chmod(home, 0o755); // PostgreSQL runs as another user than root
});
after(() => rm(home, { recursive: true, force: true }));

const running = (...words) =>
  spawn(binary, words, { cwd: home, env: { PATH: process.env.PATH }, stdio: 'pipe' });

/** Runs it to its end: {code, out, err}. */
async function jessica(...words) {
  const child = running(...words);
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  const all = Promise.all([ended, text(child.stdout), text(child.stderr)]);
  const [code, out, err] = await within(limit, words.join(' '), all);
  return { code, out, err };
}

/** What it says of itself: standard error without the log. */
const said = ({ err }) =>
  err
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .join('\n');

const up = (directory, ...flags) =>
  jessica('up', '--storage-directory', `${home}/${directory}`, '--net-port', '0', ...flags);

describe('the command line', () => {
  test('help lists every command, or those of one kind, on standard output', async () => {
    for (const words of [['help'], ['--help'], ['-h']]) {
      const { code, out } = await jessica(...words);
      assert.equal(code, 0);
      for (const name of ['up', 'db stop', 'keys sign FILE', 'jobs retry ID...', 'models show'])
        assert.match(out, new RegExp(`^  ${name.replaceAll('.', '\\.')} `, 'm'));
    }
    for (const words of [
      ['help', 'jobs'],
      ['jobs', '--help'],
    ]) {
      const { code, out } = await jessica(...words);
      assert.equal(code, 0);
      assert.match(out, /^ {2}jobs show ID /m);
      assert.doesNotMatch(out, /^ {2}up /m);
    }
  });

  test('half a command names the ways to go on', async () => {
    const half = await jessica('jobs');
    assert.equal(half.code, 2);
    assert.match(half.err, /which command\?[^]*jobs cancel/);
    assert.doesNotMatch(half.err, /models/);
    assert.equal((await jessica()).code, 2);
  });

  test('what is asked wrongly is said in one line, with exit code 2', async () => {
    for (const [words, wanted] of [
      [['upp'], /unknown command: upp \(`jessica help`/],
      [['up', 'here'], /up takes no here/],
      [['keys', 'show'], /keys takes no show/],
      [['keys', 'sign'], /keys sign takes one FILE/],
      [['verify', 'all'], /verify takes --deep/],
      [['models', 'import'], /models import takes SOURCE/],
      [['models', 'show', 'a', 'b'], /models show takes one DIR/],
      [['jobs', 'list', 'lost'], /jobs list takes queued/],
      [['jobs', 'show'], /which job\?/],
      [['jobs', 'retry', 'x'], /not a job's number: x/],
      [['up', '--net-prot', '1'], /did you mean --net-port\?/],
    ]) {
      const got = await jessica(...words);
      assert.equal(got.code, 2, words.join(' '));
      assert.match(said(got), wanted);
      assert.equal(said(got).split('\n').length, 1, said(got));
    }
  });

  test('a good configuration is called good', async () => {
    assert.deepEqual(await jessica('up', '--check'), {
      code: 0,
      out: 'The configuration is good.\n',
      err: '',
    });
  });
});

describe('a start that cannot be', () => {
  test('a port that is taken is named before anything is made', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      other.once('listening', resolve);
    });
    const { port } = other.address();
    const got = await up('taken', '--net-port', String(port));
    other.close();
    assert.equal(got.code, 1);
    assert.match(said(got), new RegExp(`127\\.0\\.0\\.1:${port} is taken[^]*--net-port`));
    await assert.rejects(access(`${home}/taken`));
  });

  test('an address that is not ours names the option', async () => {
    assert.match(said(await up('x', '--net-host', '192.0.2.1')), /--net-host/);
    assert.match(said(await up('x', '--net-host', 'localhost')), /--net-host/);
    await assert.rejects(access(`${home}/x`));
  });

  test('a state directory that cannot be made names the option', async () => {
    await writeFile(`${home}/file`, '');
    const got = await up('file/x');
    assert.equal(got.code, 1);
    assert.match(said(got), /file\/x.*--storage-directory/);
  });

  test('the keys make their directory', async () => {
    const got = await jessica('keys', '--storage-directory', `${home}/new/deep`);
    assert.equal(got.code, 0, got.err);
    assert.equal((await stat(`${home}/new/deep/keys.json`)).mode & 0o777, 0o600);
  });

  test('broken keys say what to do and stay', async () => {
    assert.equal((await jessica('keys', '--storage-directory', `${home}/broken`)).code, 0);
    await writeFile(`${home}/broken/keys.json`, '{');
    const got = await jessica('keys', '--storage-directory', `${home}/broken`);
    assert.equal(got.code, 1);
    assert.match(said(got), /keys\.json.*bring back a copy, or remove/);
    assert.deepEqual(await readdir(`${home}/broken`), ['keys.json']);
  });

  test('data of another user say whose they are', async (t) => {
    if (process.getuid() !== 0) return t.skip('only root can give files away');
    assert.equal((await jessica('db', 'start', '--storage-directory', `${home}/theirs`)).code, 0);
    assert.equal((await jessica('db', 'stop', '--storage-directory', `${home}/theirs`)).code, 0);
    const { uid, gid } = await stat(`${home}/theirs/postgres/data`);
    await chown(`${home}/theirs/postgres/data`, 0, 0);
    const got = await up('theirs');
    assert.equal(got.code, 1);
    assert.match(said(got), /belongs to user root, PostgreSQL would run as postgres/);
    await chown(`${home}/theirs/postgres/data`, uid, gid);
  });
});

describe('a database that is away at the start', () => {
  const url = 'postgresql://ann:hidden-word@127.0.0.1:1/db';

  test('is said at once, and a signal ends the wait', async () => {
    const flags = ['--storage-directory', `${home}/away`, '--net-port', '0', '--database-url', url];
    const child = running('up', ...flags);
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (part) => {
      log += part;
    });
    const ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await until('it says that it waits', () => log.includes('"database.awaited"'));
    child.kill('SIGINT');
    assert.deepEqual(await within(10 * second, 'it ends', ended), { code: 0, signal: null });
    assert.match(log, /Connection refused/);
    assert.doesNotMatch(log, /hidden-word/);
  });

  test('is given up after storage.start_timeout, with a word where it was looked for', async () => {
    const got = await up('away', '--database-url', url, '--storage-start-timeout', '1');
    assert.equal(got.code, 1);
    assert.match(said(got), /Connection refused.*--database-url/);
    assert.doesNotMatch(got.err, /hidden-word/);
  });
});
