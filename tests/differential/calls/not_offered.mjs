// What Jessica does not offer: the answers that docs/compatibility.md promises instead.
const id = '0000000c-0000-4000-8000-00000000000c';

async function member(c) {
  const client = c.fresh();
  const email = `${crypto.randomUUID()}@example.test`;
  const { error } = await client.auth.signUp({ email, password: 'a long enough password' });
  if (error) throw error;
  c.forget();
  return client;
}

export const notOffered = {
  'storage.listBuckets': (c) => c.admin.storage.listBuckets(),
  'storage.from().list': (c) => c.anon.storage.from('x').list(),
  'storage.from().upload': (c) => c.anon.storage.from('x').upload('a.txt', 'text'),
  'storage.from().download': async (c) => {
    const { data, error } = await c.anon.storage.from('x').download('a.txt');
    return { data, name: error?.name, status: error?.originalError?.status ?? error?.status };
  },
  'functions.invoke of an unknown name': async (c) => {
    const { data, error } = await c.anon.functions.invoke('nope', { body: {} });
    return { data, name: error.name, body: await error.context.text() };
  },
  'a service that is not there': (c) => c.raw('/graphql/v1', { method: 'POST', body: {} }),
  'signInWithWeb3': (c) => c.fresh().auth.signInWithWeb3({ chain: 'solana', message: 'm', signature: new Uint8Array(64) }),
  'mfa.listFactors': async (c) => (await member(c)).auth.mfa.listFactors(),
  'mfa.challenge': async (c) => (await member(c)).auth.mfa.challenge({ factorId: id }),
  'unlinkIdentity': async (c) => (await member(c)).auth.unlinkIdentity({ identity_id: id }),
  'linkIdentity by id token': async (c) => (await member(c)).auth.linkIdentity({ provider: 'google', token: 'x' }),
  'passkeys': (c) => c.raw('/auth/v1/passkeys'),
  'oauth.getAuthorizationDetails': async (c) => (await member(c)).auth.oauth.getAuthorizationDetails(id),
  'admin.oauth.listClients': (c) => c.admin.auth.admin.oauth.listClients(),
};
