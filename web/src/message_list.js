// The messages of one conversation on the page, kept by id so that a growing reply only
// ever appends text.
import { announce, byId, make } from './elements.js';
import { ToolLines } from './tool_lines.js';

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
  #onStop;

  /** @param {(replyId: string) => void} onStop  a running reply shall end */
  constructor(onStop) {
    this.#onStop = onStop;
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
    if (!this.#entries.has(reply_id)) this.update({ id: reply_id, text: '', status: 'pending' });
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
    const entry = this.#find(reply.id, 'assistant');
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
      entry = new Entry(role, () => this.#onStop(id));
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
  item;

  constructor(role, onStop) {
    this.#stop.addEventListener('click', () => {
      this.#stop.disabled = true;
      onStop();
    });
    const author = role === 'user' ? 'You' : 'Jessica';
    this.item = make(
      'li',
      { class: `message ${role === 'user' ? 'user' : 'assistant'}` },
      make('p', { class: role === 'user' ? 'author unseen' : 'author' }, author),
      make('div', { class: 'text' }, this.#text),
    );
  }

  write({ text, status, error, memories, tools }) {
    if (memories?.length > 0) this.#remember(memories);
    if (tools?.length > 0 || this.#tools) this.#use(tools ?? []);
    if (text.startsWith(this.#text.data)) this.#text.appendData(text.slice(this.#text.length));
    else this.#text.data = text;
    this.isRunning = running(status);
    this.item.classList.toggle('running', this.isRunning);
    this.item.setAttribute('aria-busy', String(this.isRunning));
    if (!this.isRunning) this.#stop.remove();
    else if (!this.#stop.isConnected) this.item.append(this.#stop);
    if (status === 'error') this.#say(brokenOff(error), 'problem');
    else if (status === 'cancelled') this.#say('Stopped.');
    else if (this.item.classList.contains('assistant')) this.#say();
  }

  /** The stop did not reach the server: it can be tried again. */
  unstopped() {
    this.#stop.disabled = false;
  }

  sending() {
    this.item.classList.add('sending');
    this.#say();
  }

  settled() {
    this.item.classList.remove('sending');
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
    this.item.append(this.#memories);
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
    this.item.append(this.#note);
  }
}

const brokenOff = (error) =>
  error ? `The reply could not be finished: ${error}` : 'The reply could not be finished.';

function spoken({ text, status, error }) {
  if (status === 'error') return brokenOff(error);
  const start = text.slice(0, announcedLength);
  return `Jessica: ${start}${status === 'cancelled' ? ' (stopped)' : ''}`;
}
