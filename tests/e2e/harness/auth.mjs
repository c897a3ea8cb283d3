// What tests of the auth API share.
import assert from 'node:assert/strict';

/** With it errors have the newer of their two shapes. */
export const apiVersion = { 'x-supabase-api-version': '2024-01-01' };

/** An error of the client, as it says why. */
export function assertError(error, status, code, message) {
  assert.ok(error, `refused with ${code}`);
  assert.deepEqual({ status: error.status, code: error.code }, { status, code });
  if (message) assert.equal(error.message, message);
}

/** An answer of the client that is such an error. */
export const assertRefused = ({ error }, ...expected) => assertError(error, ...expected);
