// What went wrong, said so that a reader knows what to do.

const byCode = {
  invalid_credentials: 'The e-mail or the password is not right.',
  user_already_exists: 'There is an account with this e-mail already. Sign in instead.',
  email_exists: 'There is an account with this e-mail already. Sign in instead.',
  weak_password: 'Please choose a password of at least 6 characters.',
  signup_disabled: 'New accounts are not allowed on this server.',
  anonymous_provider_disabled: 'This server asks for an account. Please create one.',
  user_banned: 'This account has been blocked.',
  over_request_rate_limit: 'That was a little fast. Please wait a moment and try again.',
  message_too_large: 'This message is too long.',
  no_embedder: 'This server cannot search by meaning: it has no embedding model.',
  no_memory: 'This server has no memory to search.',
  forbidden: 'This conversation cannot be opened with this account.',
  not_found: 'This conversation cannot be opened with this account.',
  unauthenticated: 'You have been signed out. Please sign in again.',
};

const byStatus = {
  401: byCode.unauthenticated,
  403: byCode.forbidden,
  404: byCode.not_found,
  413: byCode.message_too_large,
  429: 'The server is busy. Please try again in a moment.',
};

/** @param {any} error of supabase-js or a ChatError @returns {string} */
export function plainWords(error) {
  if (byCode[error?.code]) return byCode[error.code];
  if (error?.code === 'validation_failed' && /email/i.test(error.message))
    return 'This does not look like an e-mail address.';
  if (error?.code === 'network' || error?.name === 'AuthRetryableFetchError')
    return 'The server cannot be reached right now. Please try again.';
  if (byStatus[error?.status]) return byStatus[error.status];
  if (error?.status >= 500) return 'The server has a problem right now. Please try again.';
  return error?.message || 'Something went wrong. Please try again.';
}
