// The list of one's conversations, newest first.
import { followConversations } from './conversation_feed.js';
import { byId, make } from './elements.js';

const shown = 100;
const titleLength = 60;

export class ConversationList {
  #client;
  #list = byId('conversations');
  /** What conversations just begun are called until the list is read again, by id. */
  #firstWords = new Map();
  #conversations = [];
  #current = null;
  #loads = 0;

  #onChange;
  #stopFollowing = () => {};

  /**
   * @param {import('@supabase/supabase-js').SupabaseClient} client
   * @param {(row: {id: string, head_seq: number | null}) => void} onChange  told of each change
   */
  constructor(client, onChange) {
    this.#client = client;
    this.#onChange = onChange;
  }

  /** From now on what other devices do is seen. */
  follow() {
    this.#stopFollowing();
    this.#stopFollowing = followConversations(this.#client, {
      onChange: (row) => {
        this.#take(row);
        this.#onChange(row);
      },
      onGone: (id) => {
        this.#conversations = this.#conversations.filter((each) => each.id !== id);
        this.#render();
      },
      onLive: () => this.load(),
    });
  }

  clear() {
    this.#stopFollowing();
    this.#loads += 1; // an answer under way is not for us any more
    this.#firstWords.clear();
    this.#conversations = [];
    this.#render();
  }

  /** Reads the list again. Returns the error, if any. */
  async load() {
    const load = ++this.#loads;
    const { data, error } = await this.#client
      .from('conversations')
      .select('id,title,created_at,updated_at')
      .order('updated_at', { ascending: false })
      .order('created_at', { ascending: false })
      .limit(shown);
    if (load !== this.#loads) return null;
    if (error) return error;
    this.#conversations = data;
    this.#render();
    return null;
  }

  /** @param {string | null} id */
  select(id) {
    this.#current = id;
    this.#render();
  }

  /** What to call a conversation until its title is known. */
  name(id, words) {
    this.#firstWords.set(id, shorten(words));
    this.#render();
  }

  /** @param {string | null} id @returns {string} */
  titleOf(id) {
    const found = this.#conversations.find((each) => each.id === id);
    return found?.title || this.#firstWords.get(id) || 'Untitled conversation';
  }

  #take(row) {
    const others = this.#conversations.filter(({ id }) => id !== row.id);
    this.#conversations = [row, ...others]
      .sort((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at))
      .slice(0, shown);
    this.#render();
  }

  #render() {
    const focused = this.#list.contains(document.activeElement)
      ? document.activeElement.hash
      : null;
    this.#list.replaceChildren(...this.#conversations.map((each) => this.#item(each)));
    byId('no-conversations').hidden = this.#conversations.length > 0;
    if (this.#current) byId('title').textContent = this.titleOf(this.#current);
    if (focused) this.#list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }

  #item({ id }) {
    const link = make('a', { href: `#/${id}` }, this.titleOf(id));
    if (id === this.#current) link.setAttribute('aria-current', 'page');
    return make('li', {}, link);
  }
}

function shorten(words) {
  const line = words.trim().replace(/\s+/g, ' ');
  return line.length > titleLength ? `${line.slice(0, titleLength).trimEnd()}…` : line;
}
