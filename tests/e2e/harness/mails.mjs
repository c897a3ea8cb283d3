// The e-mails of a server in sink mode, read from its folder.
import { readdir, readFile } from 'node:fs/promises';
import { until } from './waiting.mjs';

/** Quoted-printable as text. */
export function unquoted(text) {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** {headers, plain, html, code, link} of a message's bytes. */
export function parsedMail(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const headers = Object.fromEntries(
    head
      .replace(/\r\n /g, ' ')
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const boundary = /boundary="([^"]+)"/.exec(headers['content-type'])[1];
  const [, plain, html] = rest
    .join('\r\n\r\n')
    .split(`--${boundary}`)
    .map((part) => unquoted(part.slice(part.indexOf('\r\n\r\n') + 4)));
  const link = /^http\S+$/m.exec(plain)?.[0];
  return { headers, plain, html, code: /: (\d{6})$/m.exec(plain.replace(/\r/g, ''))?.[1], link };
}

export class Mailbox {
  #folder;
  #seen = new Set();

  constructor(server) {
    this.#folder = `${server.directory}/mail`;
  }

  async #files() {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => name.endsWith('.eml')).sort();
  }

  /** The next mail to this address that was not taken yet. */
  next(address, kind) {
    return until(`a mail to ${address}${kind ? `, ${kind}` : ''}`, async () => {
      for (const name of await this.#files()) {
        if (this.#seen.has(name) || (kind && !name.endsWith(`-${kind}.eml`))) continue;
        const mail = parsedMail(await readFile(`${this.#folder}/${name}`, 'latin1'));
        if (mail.headers.to !== address) continue;
        this.#seen.add(name);
        return { ...mail, name };
      }
      return null;
    });
  }

  /** How many mails to this address were not taken. */
  async waiting(address) {
    let count = 0;
    for (const name of await this.#files())
      if (!this.#seen.has(name)) {
        const mail = parsedMail(await readFile(`${this.#folder}/${name}`, 'latin1'));
        if (mail.headers.to === address) count += 1;
      }
    return count;
  }
}

/** Follows a link as a browser would, up to the redirect: {url, query, fragment}. */
export async function followed(link) {
  const response = await fetch(link, { redirect: 'manual' });
  const location = response.headers.get('location');
  if (response.status !== 303) throw new Error(`${response.status} ${await response.text()}`);
  const url = new URL(location);
  return {
    url: `${url.origin}${url.pathname}`,
    query: url.searchParams,
    fragment: new URLSearchParams(url.hash.slice(1)),
  };
}
