// The card for people who are not signed in: sign in, create an account, or just start.
import { byId, showProblem } from './elements.js';
import { plainWords } from './plain_words.js';

const modes = {
  in: {
    title: 'Welcome',
    lead: 'Sign in to go on with your conversations.',
    submit: 'Sign in',
    question: 'New here?',
    other: 'Create an account',
    autocomplete: 'current-password',
  },
  up: {
    title: 'Create your account',
    lead: 'An e-mail and a password are all it takes.',
    submit: 'Create account',
    question: 'Have an account already?',
    other: 'Sign in',
    autocomplete: 'new-password',
  },
};

export class SignInView {
  #client;
  #mode = 'in';
  #problem = byId('sign-in-problem');
  #email = byId('email');
  #password = byId('password');

  /** @param {import('@supabase/supabase-js').SupabaseClient} client */
  constructor(client) {
    this.#client = client;
    byId('sign-in').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId('switch-mode').addEventListener('click', () => {
      this.#choose(this.#mode === 'in' ? 'up' : 'in');
      this.#email.focus();
    });
    byId('start-guest').addEventListener('click', () =>
      this.#attempt(() => client.auth.signInAnonymously()),
    );
    this.#choose('in');
  }

  show() {
    byId('welcome').hidden = false;
    this.#password.value = '';
    this.#email.focus();
  }

  hide() {
    byId('welcome').hidden = true;
    this.#password.value = '';
    showProblem(this.#problem);
  }

  #choose(mode) {
    this.#mode = mode;
    const words = modes[mode];
    byId('welcome-title').textContent = words.title;
    byId('welcome-lead').textContent = words.lead;
    byId('sign-in-submit').textContent = words.submit;
    byId('switch-question').textContent = words.question;
    byId('switch-mode').textContent = words.other;
    byId('password-hint').hidden = mode === 'in';
    this.#password.autocomplete = words.autocomplete;
    this.#complain();
  }

  #submit() {
    const email = this.#email.value.trim();
    const password = this.#password.value;
    if (!email) return this.#complain('Please enter your e-mail address.', this.#email);
    if (!this.#email.checkValidity())
      return this.#complain('This does not look like an e-mail address.', this.#email);
    if (!password) return this.#complain('Please enter your password.', this.#password);
    const { auth } = this.#client;
    this.#attempt(() =>
      this.#mode === 'in'
        ? auth.signInWithPassword({ email, password })
        : auth.signUp({ email, password }),
    );
  }

  /** Runs one auth call; success is told to the page by the client's own event. */
  async #attempt(call) {
    this.#complain();
    this.#busy(true);
    const { error } = await call();
    this.#busy(false);
    if (error) this.#complain(plainWords(error));
  }

  #complain(words, field) {
    for (const each of [this.#email, this.#password])
      each.setAttribute('aria-invalid', String(each === field));
    showProblem(this.#problem, words);
    field?.focus();
  }

  #busy(is) {
    for (const id of ['sign-in-submit', 'start-guest', 'switch-mode']) byId(id).disabled = is;
  }
}
