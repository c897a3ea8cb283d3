// A signed-in person's page: list, messages, message box, and which conversation is open.
import { Composer } from './composer.js';
import { ConversationList } from './conversation_list.js';
import { Drawer } from './drawer.js';
import { byId, showProblem } from './elements.js';
import { MemorySearch } from './memory_search.js';
import { MessageList } from './message_list.js';
import { plainWords } from './plain_words.js';
import {
  continueReply,
  editMessage,
  loadMessages,
  messageOf,
  newClientId,
  regenerateReply,
  selectBranch,
  sendMessage,
  stopReply,
  subscribeToMessages,
} from './supabase_adapter.js';

const connectionWords = {
  joining: 'Connecting…',
  live: 'Connected',
  waiting: 'Connection lost. Trying again…',
  refused: 'Not connected',
};
const pageSize = 200;
const routePattern = /^#\/([0-9a-f-]{36})(?:\/([0-9a-f-]{36}))?$/;
/** How far back a message is looked for, in pages. */
const pagesBack = 20;

export class ChatView {
  #client;
  #list;
  #messages = new MessageList({
    onStop: (replyId) => this.#stop(replyId),
    onEdit: (messageId, content) => this.#edit(messageId, content),
    onRegenerate: (replyId) => this.#branch(() => regenerateReply(this.#client, replyId)),
    onContinue: (replyId) => this.#branch(() => continueReply(this.#client, replyId)),
    onSelect: (messageId, act) => this.#select(messageId, act),
  });
  #composer = new Composer((content) => this.#send(content, newClientId()));
  #drawer = new Drawer();
  #memories;
  #open = null;
  /** Where the open conversation goes on, as far as it was heard of. */
  #head = null;
  /** A message that is to be shown when its conversation is here. */
  #sought = null;
  #subscription = null;
  #visible = false;
  /** About the connection and the list; the message box has a line of its own. */
  #problem = byId('pane-problem');

  /** @param {import('@supabase/supabase-js').SupabaseClient} client */
  constructor(client) {
    this.#client = client;
    this.#list = new ConversationList(client, (row) => this.#noteConversation(row));
    this.#memories = new MemorySearch(client, (id) => this.#messages.remove(id));
    addEventListener('hashchange', () => this.#followRoute());
    byId('new-conversation').addEventListener('click', () => {
      location.hash = '';
      this.#drawer.close();
      this.#composer.focus();
    });
    byId('conversations').addEventListener('click', () => this.#drawer.close());
    byId('memory-results').addEventListener('click', ({ target }) => {
      if (target.closest('a')) this.#drawer.close();
    });
    byId('earlier').addEventListener('click', () => this.#showEarlier());
    byId('skip').addEventListener('click', (event) => {
      event.preventDefault(); // the address names the conversation
      this.#composer.focus();
    });
    byId('sign-out').addEventListener('click', () => this.#signOut());
    byId('leave-guest').addEventListener('close', ({ target }) => {
      if (target.returnValue === 'leave') client.auth.signOut({ scope: 'local' });
    });
  }

  /** @param {import('@supabase/supabase-js').User} user */
  async show(user) {
    this.#visible = true;
    byId('chat').hidden = false;
    byId('who').textContent = user.is_anonymous ? 'Guest' : user.email;
    byId('sign-out').dataset.guest = String(user.is_anonymous);
    this.#switchTo(routed());
    this.#composer.focus();
    this.#list.follow();
    await this.#loadList();
  }

  hide() {
    this.#visible = false;
    byId('chat').hidden = true;
    this.#drawer.close();
    this.#switchTo(null);
    this.#list.clear();
    this.#memories.clear();
    this.#composer.clear();
    if (location.hash) history.replaceState(null, '', location.pathname);
  }

  async #stop(replyId) {
    try {
      await stopReply(this.#client, replyId);
      showProblem(this.#problem);
    } catch (error) {
      this.#messages.showUnstopped(replyId);
      showProblem(this.#problem, plainWords(error));
    }
  }

  /** Something that changes the open conversation's branches, then what there is of them. */
  async #branch(act) {
    const subscription = this.#subscription;
    try {
      await act();
      showProblem(this.#problem);
    } catch (error) {
      showProblem(this.#problem, plainWords(error));
    }
    if (this.#subscription === subscription) await subscription?.refresh();
  }

  async #edit(messageId, content) {
    const subscription = this.#subscription;
    try {
      await editMessage(this.#client, { messageId, content });
    } catch (error) {
      throw new Error(plainWords(error));
    }
    if (this.#subscription === subscription) await subscription?.refresh();
  }

  async #select(messageId, act) {
    await this.#branch(() => selectBranch(this.#client, messageId));
    this.#messages.focusVersion(messageId, act);
  }

  /** Another device may have chosen another branch. */
  #noteConversation({ id, head_seq }) {
    if (id !== this.#open || head_seq === this.#head) return;
    this.#head = head_seq;
    this.#subscription?.refresh();
  }

  #followRoute() {
    if (!this.#visible) return;
    if (routed() !== this.#open) return this.#switchTo(routed());
    this.#sought = soughtMessage();
    this.#seek();
  }

  /** Goes to the message that the address names, reading back as far as it lies. */
  async #seek() {
    const [id, message] = [this.#open, this.#sought];
    this.#sought = null;
    if (!message) return;
    for (let page = 0; page < pagesBack; ++page) {
      if (this.#open !== id || this.#messages.reveal(message)) return;
      if (byId('earlier').hidden) return showProblem(this.#problem, 'That message is gone.');
      await this.#showEarlier();
    }
  }

  #switchTo(id) {
    this.#subscription?.stop();
    this.#subscription = null;
    this.#open = id;
    this.#head = null;
    this.#sought = soughtMessage();
    this.#messages.clear();
    this.#list.select(id);
    byId('earlier').hidden = true;
    byId('greeting').hidden = id !== null;
    showProblem(this.#problem);
    this.#name(id);
    this.#showConnection(null);
    if (id) this.#subscribe(id);
  }

  #name(id) {
    const title = id ? this.#list.titleOf(id) : 'New conversation';
    byId('title').textContent = title;
    document.title = id ? `${title} · Jessica` : 'Jessica';
  }

  #subscribe(id) {
    const ifOpen = (act) => (...values) => this.#open === id && act(...values);
    this.#subscription = subscribeToMessages(this.#client, id, {
      onMessages: ifOpen((messages) => {
        byId('earlier').hidden = messages.length < pageSize;
        this.#messages.showBranch(messages, messages.length < pageSize);
        showProblem(this.#problem);
        this.#seek();
      }),
      onReply: ifOpen((reply) => this.#messages.update(reply)),
      onState: ifOpen((state) => this.#showConnection(state)),
      onError: ifOpen((error) => showProblem(this.#problem, plainWords(error))),
    });
  }

  #showConnection(state) {
    const line = byId('connection');
    line.dataset.state = state ?? '';
    line.textContent = connectionWords[state] ?? '';
    if (state === 'refused') showProblem(this.#problem, plainWords({ code: 'forbidden' }));
  }

  async #send(content, clientId) {
    const conversationId = this.#open ?? undefined;
    const isStillThere = () => this.#open === (conversationId ?? null);
    byId('greeting').hidden = true;
    this.#messages.showSending(clientId, content);
    try {
      const receipt = await sendMessage(this.#client, { content, conversationId, clientId });
      this.#list.name(receipt.conversation_id, content);
      if (isStillThere()) this.#adopt(receipt, clientId);
      await this.#loadList();
    } catch (error) {
      if (isStillThere())
        this.#messages.showUnsent(clientId, plainWords(error), () => this.#send(content, clientId));
    }
  }

  /** The message is stored: follow its conversation if that is new. */
  #adopt(receipt, clientId) {
    this.#messages.showSent(clientId, receipt);
    if (this.#open) return;
    this.#open = receipt.conversation_id;
    history.pushState(null, '', `#/${receipt.conversation_id}`);
    this.#list.select(this.#open);
    this.#name(this.#open);
    this.#subscribe(this.#open);
  }

  async #loadList() {
    const error = await this.#list.load();
    if (error) showProblem(this.#problem, plainWords(error));
    else if (this.#visible) this.#name(this.#open);
  }

  async #showEarlier() {
    const id = this.#open;
    try {
      const before = this.#messages.firstSeq;
      const rows = await loadMessages(this.#client, id, { before, limit: pageSize });
      if (this.#open !== id) return;
      this.#messages.showEarlier(rows.map((row) => messageOf(row)));
      byId('earlier').hidden = rows.length < pageSize;
    } catch (error) {
      if (this.#open === id) showProblem(this.#problem, plainWords(error));
    }
  }

  #signOut() {
    if (byId('sign-out').dataset.guest === 'true') byId('leave-guest').showModal();
    else this.#client.auth.signOut({ scope: 'local' });
  }
}

/** The message the address names. */
function soughtMessage() {
  return routePattern.exec(location.hash)?.[2] ?? null;
}

/** The conversation the address names. */
function routed() {
  return routePattern.exec(location.hash)?.[1] ?? null;
}
