// All calls by name.
import { accounts, administration } from './calls/accounts.mjs';
import { embedding } from './calls/embedding.mjs';
import { filtering } from './calls/filters.mjs';
import { functions } from './calls/functions.mjs';
import { notOffered } from './calls/not_offered.mjs';
import { reading } from './calls/reading.mjs';
import { rights, writing } from './calls/writing.mjs';

const named = (group, calls) => Object.entries(calls).map(([name, call]) => [`${group}: ${name}`, call]);

export const calls = [
  ...named('read', reading),
  ...named('read', filtering),
  ...named('read', embedding),
  ...named('write', writing),
  ...named('rest', rights),
  ...named('call', functions),
  ...named('auth', accounts),
  ...named('auth', administration),
  ...named('not offered', notOffered),
];
