// auth: what a client can do with an account. Every call makes accounts of its own.
import { randomUUID } from 'node:crypto';

const password = 'a long enough password';

/** An address nobody has. */
const email = () => `${randomUUID()}@example.test`;

/** A client with a fresh account. */
async function joined(c, options = {}) {
  const client = c.fresh();
  const address = email();
  const { data, error } = await client.auth.signUp({ email: address, password, options });
  if (error) throw error;
  c.forget();
  return { client, email: address, user: data.user, session: data.session };
}

/** A call that starts with a fresh account. */
const member = (use, options) => async (c) => use(await joined(c, options), c);
// The client asks for the newer form of errors; what we ask ourselves is answered in the older.
const post = (c, path, body, more) => c.raw(`/auth/v1${path}`, { method: 'POST', body, ...more });
const versioned = { headers: { 'x-supabase-api-version': '2024-01-01' } };

export const accounts = {
  'sign up': (c) => c.fresh().auth.signUp({ email: email(), password }),
  'sign up with data': (c) => c.fresh().auth.signUp({ email: email(), password, options: { data: { name: 'Ada', n: 1 } } }),
  'sign up in capitals': async (c) => {
    const address = email();
    const { data } = await c.fresh().auth.signUp({ email: address.toUpperCase(), password });
    return { lower: data.user?.email === address };
  },
  'sign up twice': member(({ email: address }, c) => c.fresh().auth.signUp({ email: address, password })),
  'sign up with a short password': (c) => c.fresh().auth.signUp({ email: email(), password: 'short' }),
  'sign up with no password': (c) => c.fresh().auth.signUp({ email: email(), password: '' }),
  'sign up with a password too long': (c) => c.fresh().auth.signUp({ email: email(), password: 'x'.repeat(73) }),
  'sign up with no address': (c) => c.fresh().auth.signUp({ email: '', password }),
  'sign up with a bad address': (c) => c.fresh().auth.signUp({ email: 'nonsense', password }),
  'sign up with an address too long': (c) => c.fresh().auth.signUp({ email: `${'x'.repeat(250)}@example.test`, password }),
  'sign up with a phone': (c) => c.fresh().auth.signUp({ phone: '15551234567', password }),
  'sign up with broken json': (c) => post(c, '/signup', '{"email":'),
  'sign up with a list': (c) => post(c, '/signup', '[]'),
  'sign up without a key': (c) => post(c, '/signup', {}, { key: '' }),
  'sign in anonymously': (c) => c.fresh().auth.signInAnonymously({ options: { data: { a: 1 } } }),

  'sign in': member(({ email: address }, c) => c.fresh().auth.signInWithPassword({ email: address, password })),
  'sign in in capitals': member(({ email: address }, c) => c.fresh().auth.signInWithPassword({ email: address.toUpperCase(), password })),
  'sign in with a wrong password': member(({ email: address }, c) => c.fresh().auth.signInWithPassword({ email: address, password: 'wrong one' })),
  'sign in with no password': member(({ email: address }, c) => c.fresh().auth.signInWithPassword({ email: address, password: '' })),
  'sign in as nobody': (c) => c.fresh().auth.signInWithPassword({ email: 'nobody@example.test', password }),
  'sign in with no address': (c) => post(c, '/token?grant_type=password', { password }),
  'sign in with a phone': (c) => c.fresh().auth.signInWithPassword({ phone: '15551234567', password }),
  'sign in with an unknown grant': (c) => post(c, '/token?grant_type=nope', {}),
  'sign in with no grant': (c) => post(c, '/token', {}),
  'sign in with a wrong password, errors in the newer form': (c) => post(c, '/token?grant_type=password', { email: 'nobody@example.test', password }, versioned),
  'sign in through a provider that is off': (c) => c.raw('/auth/v1/authorize?provider=github'),
  'sign in with an id token': (c) => c.fresh().auth.signInWithIdToken({ provider: 'google', token: 'x' }),
  'sign in through sso': (c) => c.fresh().auth.signInWithSSO({ domain: 'example.test' }),
  'exchange an unknown code': (c) => post(c, '/token?grant_type=pkce', { auth_code: 'x', code_verifier: 'y' }),

  'refresh': member(({ client }) => client.auth.refreshSession()),
  'refresh keeps the login': member(async ({ client, session }) => {
    const { data } = await client.auth.refreshSession();
    const claim = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).session_id;
    return { same: claim(data.session.access_token) === claim(session.access_token), rotated: data.session.refresh_token !== session.refresh_token };
  }),
  'refresh with the parent again': member(async ({ session }, c) => {
    const use = (refresh_token) => post(c, '/token?grant_type=refresh_token', { refresh_token });
    const first = await use(session.refresh_token);
    const again = await use(session.refresh_token);
    return { sameSuccessor: first.body.refresh_token === again.body.refresh_token };
  }),
  'refresh with an unknown token': (c) => post(c, '/token?grant_type=refresh_token', { refresh_token: 'abcdefghijkl' }),
  'refresh with a short token': (c) => post(c, '/token?grant_type=refresh_token', { refresh_token: 'a' }),
  'refresh with no token': (c) => post(c, '/token?grant_type=refresh_token', {}),
  'refresh after signing out': member(async ({ client, session }, c) => {
    await client.auth.signOut();
    c.forget();
    return post(c, '/token?grant_type=refresh_token', { refresh_token: session.refresh_token });
  }),
  'claims of a token': member(({ session }) => {
    const claims = JSON.parse(Buffer.from(session.access_token.split('.')[1], 'base64url'));
    return { ...claims, iss: typeof claims.iss, email: typeof claims.email };
  }),
  'header of a token': member(({ session }) => {
    const { kid, ...header } = JSON.parse(Buffer.from(session.access_token.split('.')[0], 'base64url'));
    return { ...header, kid: typeof kid };
  }),

  'getUser': member(({ client }) => client.auth.getUser()),
  'getUser with data': member(({ client }) => client.auth.getUser(), { data: { name: 'Ada' } }),
  'getUser of a token': member(({ session }, c) => c.fresh().auth.getUser(session.access_token)),
  'getUser without a session': (c) => c.fresh().auth.getUser(),
  'getUser of what is no token': (c) => c.fresh().auth.getUser('nonsense'),
  'getUser of an expired token': (c) => c.fresh().auth.getUser(c.token({ sub: '0000000a-0000-4000-8000-00000000000a', exp: 1700000000 })),
  'getUser of a token of another secret': (c) => c.fresh().auth.getUser(c.token({ sub: 'x' }, 'another secret of some length, thirty two')),
  'getUser of a user that is not there': (c) => c.fresh().auth.getUser(c.token({ sub: '0000000c-0000-4000-8000-00000000000c', session_id: '0000000d-0000-4000-8000-00000000000d' })),
  'getUser of a token without a subject': (c) => c.fresh().auth.getUser(c.token()),
  'getUser with a key only': (c) => c.raw('/auth/v1/user'),
  'getUser with a key as the token': (c) => c.raw('/auth/v1/user', { token: c.token({ role: 'anon' }) }),
  'getUser after signing out elsewhere': member(async ({ client, session }, c) => {
    await client.auth.signOut();
    c.forget();
    return c.fresh().auth.getUser(session.access_token);
  }),
  'getUserIdentities': member(({ client }) => client.auth.getUserIdentities()),
  'getClaims': member(async ({ client }) => {
    const { data, error } = await client.auth.getClaims();
    return { claims: Object.keys(data?.claims ?? {}).sort(), error };
  }),
  'setSession': member(async ({ session }, c) => {
    const { data, error } = await c.fresh().auth.setSession(session);
    return { user: data.user?.id === session.user.id, kept: data.session?.access_token === session.access_token, error };
  }),

  'updateUser: data': member(({ client }) => client.auth.updateUser({ data: { theme: 'dark', name: null } }), { data: { name: 'Ada', kept: 1 } }),
  'updateUser: password': member(async ({ client, email: address }, c) => [
    await client.auth.updateUser({ password: 'another long password' }),
    await c.fresh().auth.signInWithPassword({ email: address, password }),
    await c.fresh().auth.signInWithPassword({ email: address, password: 'another long password' }),
  ]),
  'updateUser: the same password': member(({ client }) => client.auth.updateUser({ password })),
  'updateUser: a short password': member(({ client }) => client.auth.updateUser({ password: 'x' })),
  'updateUser: a taken address': member(async ({ client }, c) => {
    const other = await joined(c);
    return client.auth.updateUser({ email: other.email });
  }),
  'updateUser: a bad address': member(({ client }) => client.auth.updateUser({ email: 'nonsense' })),
  'updateUser: nothing': member(({ client }) => client.auth.updateUser({})),
  'updateUser: a phone': member(({ client }) => client.auth.updateUser({ phone: '15551234567' })),
  'updateUser without a session': (c) => c.fresh().auth.updateUser({ data: {} }),
  'updateUser with no token': (c) => c.raw('/auth/v1/user', { method: 'PUT', body: {} }),
  'updateUser ends other logins': member(async ({ client, email: address }, c) => {
    const other = await c.fresh().auth.signInWithPassword({ email: address, password });
    await client.auth.updateUser({ password: 'another long password' });
    c.forget();
    return c.fresh().auth.getUser(other.data.session.access_token);
  }),

  'signOut': member(({ client }) => client.auth.signOut()),
  'signOut here': member(({ client }) => client.auth.signOut({ scope: 'local' })),
  'signOut here leaves others': member(async ({ client, email: address }, c) => {
    const other = c.fresh();
    await other.auth.signInWithPassword({ email: address, password });
    await client.auth.signOut({ scope: 'local' });
    c.forget();
    return (await other.auth.refreshSession()).error;
  }),
  'signOut elsewhere': member(async ({ client, email: address }, c) => {
    const other = c.fresh();
    await other.auth.signInWithPassword({ email: address, password });
    const answer = await client.auth.signOut({ scope: 'others' });
    return [answer, await other.auth.getUser(), (await client.auth.getUser()).error];
  }),
  'signOut with a scope that is none': member(({ session }, c) => post(c, '/logout?scope=nope', undefined, { token: session.access_token })),
  'signOut with no token': (c) => post(c, '/logout', undefined),
  'signOut twice': member(async ({ client, session }, c) => {
    await client.auth.signOut();
    c.forget();
    return post(c, '/logout', undefined, { token: session.access_token });
  }),

  'resetPasswordForEmail': member(({ client, email: address }) => client.auth.resetPasswordForEmail(address)),
  'resetPasswordForEmail of nobody': (c) => c.fresh().auth.resetPasswordForEmail('nobody@example.test'),
  'resetPasswordForEmail of no address': (c) => post(c, '/recover', {}),
  'signInWithOtp': member(({ client, email: address }) => client.auth.signInWithOtp({ email: address })),
  'signInWithOtp of nobody, none to be made': (c) => c.fresh().auth.signInWithOtp({ email: email(), options: { shouldCreateUser: false } }),
  'signInWithOtp of a phone': (c) => c.fresh().auth.signInWithOtp({ phone: '15551234567' }),
  'signInWithOtp of no address': (c) => post(c, '/otp', {}),
  'verifyOtp of a wrong code': member(({ client, email: address }) => client.auth.verifyOtp({ email: address, token: '000000', type: 'email' })),
  'verifyOtp of an unknown hash': (c) => c.fresh().auth.verifyOtp({ token_hash: 'nope', type: 'email' }),
  'verifyOtp of no type': (c) => post(c, '/verify', { email: 'x@example.test', token: '1' }),
  'resend': (c) => c.fresh().auth.resend({ type: 'signup', email: 'nobody@example.test' }),
  'reauthenticate': member(({ client }) => client.auth.reauthenticate()),
  'settings': async (c) => Object.keys((await c.raw('/auth/v1/settings')).body).sort(),
  'health': async (c) => (await c.raw('/auth/v1/health')).body.name,
  'jwks': (c) => c.raw('/auth/v1/.well-known/jwks.json'),
  'an unknown path': (c) => c.raw('/auth/v1/nope'),
  'a method that is not': (c) => c.raw('/auth/v1/signup', { method: 'DELETE' }),

  'mfa enroll': member(({ client }) => client.auth.mfa.enroll({ factorType: 'totp' })),
  'linkIdentity': member(({ client }) => client.auth.linkIdentity({ provider: 'github', options: { skipBrowserRedirect: true } })),
};

/** admin: with the service key. */
export const administration = {
  'admin createUser': (c) => c.admin.auth.admin.createUser({ email: email(), password, email_confirm: true, user_metadata: { a: 1 } }),
  'admin createUser, and sign in': async (c) => {
    const address = email();
    await c.admin.auth.admin.createUser({ email: address, password, email_confirm: true, app_metadata: { plan: 'x' } });
    c.forget();
    return (await c.fresh().auth.signInWithPassword({ email: address, password })).data.user?.app_metadata;
  },
  'admin createUser twice': member(({ email: address }, c) => c.admin.auth.admin.createUser({ email: address, password })),
  'admin createUser without an address': (c) => c.admin.auth.admin.createUser({}),
  'admin listUsers': async (c) => {
    const { data, error } = await c.admin.auth.admin.listUsers({ page: 1, perPage: 2 });
    return { users: data.users.length, total: data.total > 0, error };
  },
  'admin getUserById': member(({ user }, c) => c.admin.auth.admin.getUserById(user.id)),
  'admin getUserById of nobody': (c) => c.admin.auth.admin.getUserById('0000000c-0000-4000-8000-00000000000c'),
  'admin getUserById of what is no id': (c) => c.raw('/auth/v1/admin/users/nope', { token: c.token({ role: 'service_role' }) }),
  'admin updateUserById': member(({ user }, c) => c.admin.auth.admin.updateUserById(user.id, { user_metadata: { x: 1 }, app_metadata: { plan: 'p' } })),
  'admin updateUserById: a ban': member(async ({ user, email: address, client }, c) => [
    await c.admin.auth.admin.updateUserById(user.id, { ban_duration: '1h' }),
    await c.fresh().auth.signInWithPassword({ email: address, password }),
    await client.auth.getUser(),
  ]),
  'admin updateUserById of nobody': (c) => c.admin.auth.admin.updateUserById('0000000c-0000-4000-8000-00000000000c', { password }),
  'admin deleteUser': member(async ({ user, email: address }, c) => [
    await c.admin.auth.admin.deleteUser(user.id),
    await c.fresh().auth.signInWithPassword({ email: address, password }),
  ]),
  'admin deleteUser of nobody': (c) => c.admin.auth.admin.deleteUser('0000000c-0000-4000-8000-00000000000c'),
  'admin signOut': member(async ({ session, client }, c) => [
    await c.admin.auth.admin.signOut(session.access_token),
    await client.auth.getUser(),
  ]),
  'admin inviteUserByEmail': (c) => c.admin.auth.admin.inviteUserByEmail(email()),
  'admin generateLink': member(({ email: address }, c) => c.admin.auth.admin.generateLink({ type: 'magiclink', email: address })),
  'admin by anon': (c) => c.fresh().auth.admin.listUsers(),
  'admin by a user': member(({ client }) => client.auth.admin.createUser({ email: 'x@example.test', password })),
};
