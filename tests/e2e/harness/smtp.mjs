// A real SMTP server for tests, as grumpy as a test wants it.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { Inbox } from './waiting.mjs';

/** A certificate for this machine, made for one test run: {cert, key, file}. */
export async function makeCertificate(folder) {
  const [file, keyFile] = [`${folder}/smtp-cert.pem`, `${folder}/smtp-key.pem`];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', keyFile, '-out', file],
  ]);
  return { cert: await readFile(file), key: await readFile(keyFile), file };
}

export class SmtpServer {
  /** Messages taken: {to, text, secure, user}. */
  mails = new Inbox();
  /** Recipients asked for, taken or not. */
  asked = new Inbox();
  port;
  /** What the next recipients are answered with, e.g. '451 later'; then '250 ok'. */
  answers = [];
  #server;
  #sockets = new Set();

  /** @param {{certificate?, implicit?: boolean, login?: {user, password}}} how */
  static async start(how = {}) {
    const server = new SmtpServer();
    server.#server = createServer((socket) => server.#accept(socket, how));
    await new Promise((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.port = server.#server.address().port;
    return server;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket, how) {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    if (how.implicit) this.#talk(this.#secure(socket, how), how, true, true);
    else this.#talk(socket, how, false, true);
  }

  #secure(socket, { certificate }) {
    const made = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ cert: certificate.cert, key: certificate.key }),
    });
    made.on('error', () => {});
    return made;
  }

  #talk(socket, how, secure, greet) {
    const say = (line) => socket.write(`${line}\r\n`);
    const mail = { to: null, secure, user: null };
    let lines = null; // of a message that is being taken
    let asksLogin = false;
    let rest = '';
    const take = (line) => {
      if (lines) {
        if (line !== '.') return lines.push(line.replace(/^\.\./, '.'));
        this.mails.push({ ...mail, text: `${lines.join('\r\n')}\r\n` });
        lines = null;
        return say('250 taken');
      }
      const word = line.slice(0, 4).toUpperCase();
      if (word === 'EHLO') {
        const login = how.login && (secure || !how.certificate) ? '250-AUTH PLAIN\r\n' : '';
        const tls = how.certificate && !secure ? '250-STARTTLS\r\n' : '';
        return socket.write(`250-test\r\n${login}${tls}250 8BITMIME\r\n`);
      }
      if (word === 'STAR') {
        say('220 go on');
        socket.removeAllListeners('data');
        return this.#talk(this.#secure(socket, how), how, true, false);
      }
      if (word === 'AUTH' && line === 'AUTH PLAIN') {
        asksLogin = true;
        return say('334 ');
      }
      if (word === 'AUTH' || asksLogin) {
        const [, user, password] = Buffer.from(asksLogin ? line : line.slice(11), 'base64')
          .toString()
          .split('\0');
        asksLogin = false;
        if (user !== how.login?.user || password !== how.login?.password) return say('535 who are you');
        mail.user = user;
        return say('235 welcome');
      }
      if (word === 'RCPT') {
        mail.to = /<(.*)>/.exec(line)[1];
        this.asked.push(mail.to);
        const answer = this.answers.shift() ?? '250 ok';
        return answer === 'hang up' ? socket.destroy() : say(answer);
      }
      if (word === 'DATA') {
        lines = [];
        return say('354 go on');
      }
      if (word === 'QUIT') return socket.end('221 bye\r\n');
      if (word === 'MAIL' && how.login && !mail.user) return say('530 log in first');
      return say('250 ok');
    };
    socket.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        take(line);
      }
    });
    if (greet) say('220 test');
  }
}
