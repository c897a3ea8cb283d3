// llama.cpp's own server with the tiny model of tests/peers, on a free port of loopback.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { second, until } from './waiting.mjs';

const maker = fileURLToPath(new URL('../../peers/tiny_gguf.mjs', import.meta.url));

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Llama {
  url;
  #command;
  #model;
  #port;
  #process = null;

  /** @param {string} command what tests/peers/llama_server printed
   *  @param {string} folder for the model */
  static async start(command, folder) {
    const llama = new Llama();
    llama.#command = command;
    llama.#model = `${folder}/tiny.gguf`;
    llama.#port = await freePort();
    llama.url = `http://127.0.0.1:${llama.#port}`;
    execFileSync(process.execPath, [maker, llama.#model]);
    await llama.startAgain();
    return llama;
  }

  async startAgain() {
    const flags = ['-m', this.#model, '--host', '127.0.0.1', '--port', this.#port, '-t', 1];
    this.#process = spawn(this.#command, [...flags, '--slots', '--parallel', 4].map(String), {
      stdio: 'ignore',
    });
    await until(
      'llama-server answers',
      () => fetch(`${this.url}/health`).then((answer) => answer.ok).catch(() => false),
      60 * second,
    );
  }

  /** How many of its slots write. */
  async busy() {
    const slots = await (await fetch(`${this.url}/slots`)).json();
    return slots.filter(({ is_processing: writes }) => writes).length;
  }

  async kill() {
    if (!this.#process) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    this.#process = null;
  }
}
