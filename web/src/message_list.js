// The messages of one conversation on the page, kept by id so that a growing reply only
// ever appends text.
import { announce, byId, make } from './elements.js';
import { ToolLines } from './tool_lines.js';
import { MessageActions, editor } from './message_actions.js';

/** Scrolled this near to the end (px), the list follows new text. */
const nearEnd = 96;
/** A longer reply is announced by its beginning. */
const announcedLength = 2000;

const running = (status) => status === 'pending' || status === 'streaming';

export class MessageList {
  #list = byId('messages');
  #scroller = byId('scroller');
  #toLatest = byId('to-latest');
  /** @type {Map<string, Entry>} by message id, or client id until that is known */
  #entries = new Map();
  #follows = true;
  #actions;

  /** @param {import('./message_actions.js').Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#scroller.addEventListener('scroll', () => this.#noteScroll(), { passive: true });
    this.#toLatest.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.#settle()).observe(this.#scroller);
  }

  clear() {
    this.#entries.clear();
    this.#list.replaceChildren();
    this.#follows = true;
    this.#toLatest.hidden = true;
  }

  /** @returns {number | undefined} seq of the first message shown */
  get firstSeq() {
    const seq = this.#list.firstElementChild && this.#entryOf(this.#list.firstElementChild).seq;
    return Number.isFinite(seq) ? seq : undefined;
  }

  /** Shows stored messages; those already shown change in place. */
  show(messages) {
    for (const message of messages) {
      if (message.client_id) this.#rename(message.client_id, message.id);
      const entry = this.#find(message.id, message.role);
      entry.settled();
      entry.seq = message.seq;
      this.#place(entry);
      entry.write(message);
    }
    this.#settle();
  }

  /** Shows a branch from its first message here on: what else was stored goes. */
  showBranch(messages, isWhole) {
    const kept = new Set(messages.map(({ id }) => id));
    const from = isWhole ? 0 : (messages[0]?.seq ?? 0);
    this.show(messages);
    for (const [id, { seq }] of this.#entries)
      if (Number.isFinite(seq) && seq >= from && !kept.has(id)) this.remove(id);
  }

  /** Another version of a message was shown: the same button goes on with it. */
  focusVersion(id, act) {
    this.#entries.get(id)?.actions.focus(act);
  }

  /** Puts older messages on top without moving what is being read. */
  showEarlier(messages) {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#follows = false;
    this.show(messages);
    this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
  }

  /** A message on its way to the server. */
  showSending(clientId, text) {
    const entry = this.#find(clientId, 'user');
    entry.sending();
    entry.write({ text, status: 'complete' });
    this.toEnd();
  }

  /** It is stored; its reply begins to wait. */
  showSent(clientId, { message_id, reply_id }) {
    this.#rename(clientId, message_id);
    this.#entries.get(message_id)?.settled();
    if (this.#entries.has(reply_id)) return;
    this.#find(reply_id, 'assistant').write({ id: reply_id, text: '', status: 'pending' });
    this.#settle();
  }

  /** It could not be stored; `again` tries once more. */
  showUnsent(clientId, words, again) {
    this.#entries.get(clientId)?.unsent(words, again);
    this.#settle();
  }

  /** A stop failed. */
  showUnstopped(replyId) {
    this.#entries.get(replyId)?.unstopped();
  }

  /** @param {import('./reply_book.js').Reply} reply */
  update(reply) {
    const entry = this.#entries.get(reply.id);
    if (!entry) return; // of another branch, or not read yet
    const wasRunning = entry.isRunning;
    entry.write(reply);
    if (wasRunning && !entry.isRunning) announce(spoken(reply));
    this.#settle();
  }

  toEnd() {
    this.#follows = true;
    this.#settle();
  }

  /** Shows one message, wherever it is. False: it is not in the list. */
  reveal(id) {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#follows = false;
    entry.item.setAttribute('tabindex', '-1');
    entry.item.scrollIntoView({ block: 'center' });
    entry.item.focus({ preventScroll: true });
    entry.item.classList.add('revealed');
    this.#noteScroll();
    return true;
  }

  remove(id) {
    this.#entries.get(id)?.item.remove();
    this.#entries.delete(id);
    this.#settle();
  }

  #find(id, role) {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = new Entry(role, this.#actions);
      entry.item.dataset.id = id;
      this.#entries.set(id, entry);
      this.#list.append(entry.item);
    }
    return entry;
  }

  #rename(from, to) {
    const entry = this.#entries.get(from);
    if (!entry) return;
    this.#entries.delete(from);
    this.#entries.set(to, entry);
    entry.item.dataset.id = to;
  }

  /** Moves an entry to where its seq belongs; most are there already. */
  #place(entry) {
    let before = entry.item.previousElementSibling;
    while (before && this.#entryOf(before).seq > entry.seq) before = before.previousElementSibling;
    if (before === entry.item.previousElementSibling) return;
    if (before) before.after(entry.item);
    else this.#list.prepend(entry.item);
  }

  #entryOf(item) {
    return this.#entries.get(item.dataset.id);
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#follows = scrollHeight - scrollTop - clientHeight < nearEnd;
    this.#toLatest.hidden = this.#follows;
  }

  #settle() {
    if (this.#follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#noteScroll();
  }
}

/** One message's element. */
class Entry {
  seq = Infinity; // not stored yet: at the end
  isRunning = false;
  #text = document.createTextNode('');
  #note = null;
  #stop = make('button', { type: 'button', class: 'link stop' }, 'Stop');
  #memories = null;
  #tools = null;
  #box = make('div', { class: 'text' }, this.#text);
  #editor = null;
  #onEdit;
  #shown = {};
  actions;
  item;

  constructor(role, actions) {
    this.#stop.addEventListener('click', () => {
      this.#stop.disabled = true;
      actions.onStop(this.item.dataset.id);
    });
    this.#onEdit = actions.onEdit;
    this.actions = new MessageActions(actions, role === 'user' ? 'user' : 'assistant');
    const author = role === 'user' ? 'You' : 'Jessica';
    this.item = make(
      'li',
      { class: `message ${role === 'user' ? 'user' : 'assistant'}` },
      make('p', { class: role === 'user' ? 'author unseen' : 'author' }, author),
      this.#box,
      this.actions.element,
    );
  }

  write({ text, status, error, memories, tools, siblings, finish_reason }) {
    if (memories?.length > 0) this.#remember(memories);
    if (tools?.length > 0 || this.#tools) this.#use(tools ?? []);
    if (text.startsWith(this.#text.data)) this.#text.appendData(text.slice(this.#text.length));
    else this.#text.data = text;
    this.isRunning = running(status);
    this.item.classList.toggle('running', this.isRunning);
    this.item.setAttribute('aria-busy', String(this.isRunning));
    if (!this.isRunning) this.#stop.remove();
    else if (!this.#stop.isConnected) {
      this.#stop.disabled = false; // it may be one that goes on
      this.actions.element.before(this.#stop);
    }
    this.#shown = { ...this.#shown, text, status, finish_reason };
    if (siblings) this.#shown.siblings = siblings;
    this.#showActions();
    if (status === 'error') this.#say(brokenOff(error), 'problem');
    else if (status === 'cancelled') this.#say('Stopped.');
    else if (this.item.classList.contains('assistant')) this.#say();
  }

  /** The stop did not reach the server: it can be tried again. */
  unstopped() {
    this.#stop.disabled = false;
  }

  #showActions() {
    if (this.#editor || this.item.classList.contains('sending')) return this.actions.hide();
    this.actions.show({ ...this.#shown, id: this.item.dataset.id, startEdit: () => this.#edit() });
  }

  #edit() {
    const leave = () => {
      this.#editor?.form.remove();
      this.#editor = null;
      this.#box.hidden = false;
      this.#showActions();
      this.actions.focus('edit');
    };
    this.#editor = editor(
      this.#shown.text,
      async (content) => {
        await this.#onEdit(this.item.dataset.id, content);
        if (this.item.isConnected) leave();
      },
      leave,
    );
    this.#box.hidden = true;
    this.#box.after(this.#editor.form);
    this.#showActions();
    this.#editor.focus();
  }

  sending() {
    this.item.classList.add('sending');
    this.#say();
  }

  settled() {
    this.item.classList.remove('sending');
    if (this.#shown.status) this.#showActions();
    if (this.item.classList.contains('user')) this.#say();
  }

  unsent(words, again) {
    this.item.classList.remove('sending');
    const button = make('button', { type: 'button', class: 'link' }, 'Try again');
    button.addEventListener('click', again);
    this.#say(`Not sent. ${words} `, 'problem', button);
  }

  /** What the reply was given of earlier messages, each with a way there. */
  #remember(memories) {
    if (this.#memories) return;
    const items = memories.map(({ conversation_id, message_id, excerpt }) =>
      make('li', {}, make('a', { href: `#/${conversation_id}/${message_id}` }, excerpt)),
    );
    const count = items.length === 1 ? '1 memory was used' : `${items.length} memories were used`;
    this.#memories = make(
      'details',
      { class: 'memories' },
      make('summary', {}, count),
      make('ul', {}, ...items),
    );
    this.actions.element.before(this.#memories);
  }

  /** The tools it called stand above its text. */
  #use(tools) {
    if (!this.#tools) {
      this.#tools = new ToolLines();
      this.item.querySelector('.text').before(this.#tools.element);
    }
    this.#tools.show(tools);
  }

  #say(words, kind = '', ...more) {
    this.#note?.remove();
    this.#note = null;
    if (!words) return;
    this.#note = make('p', { class: `note ${kind}` }, words, ...more);
    if (kind === 'problem') this.#note.setAttribute('role', 'alert');
    this.actions.element.before(this.#note);
  }
}

const brokenOff = (error) =>
  error ? `The reply could not be finished: ${error}` : 'The reply could not be finished.';

function spoken({ text, status, error }) {
  if (status === 'error') return brokenOff(error);
  const start = text.slice(0, announcedLength);
  return `Jessica: ${start}${status === 'cancelled' ? ' (stopped)' : ''}`;
}
