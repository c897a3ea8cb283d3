// A box that finds what was said earlier, in any conversation.
import { announce, byId, make, showProblem } from './elements.js';
import { plainWords } from './plain_words.js';
import { deleteMessage, searchMemories } from './supabase_adapter.js';

const shown = 10;

/** What cannot be undone is done by the second click; the first one asks. */
function confirmed(button, act) {
  const { textContent: words, ariaLabel: label } = button;
  const reset = () => {
    button.textContent = words;
    button.ariaLabel = label;
    button.classList.remove('danger');
  };
  button.addEventListener('blur', reset);
  button.addEventListener('click', () => {
    if (button.classList.contains('danger')) return act();
    button.textContent = 'Delete for good?';
    button.ariaLabel = null;
    button.classList.add('danger');
    announce('Press again to delete the message for good');
  });
}

export class MemorySearch {
  #client;
  #input = byId('memory-query');
  #results = byId('memory-results');
  #problem = byId('memory-problem');
  #onDeleted;
  #searches = 0;

  /**
   * @param {import('@supabase/supabase-js').SupabaseClient} client
   * @param {(messageId: string) => void} onDeleted  a message was deleted here
   */
  constructor(client, onDeleted) {
    this.#client = client;
    this.#onDeleted = onDeleted;
    byId('memory-search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#search(this.#input.value.trim());
    });
    this.#input.addEventListener('input', () => {
      if (!this.#input.value.trim()) this.clear();
    });
  }

  clear() {
    this.#searches += 1; // an answer under way is not for us any more
    this.#input.value = '';
    this.#results.replaceChildren();
    showProblem(this.#problem);
  }

  async #search(query) {
    if (!query) return this.clear();
    const search = ++this.#searches;
    try {
      const found = await searchMemories(this.#client, query, { k: shown, hybrid: true });
      if (search !== this.#searches) return;
      this.#results.replaceChildren(...found.map((each) => this.#item(each)));
      showProblem(this.#problem, found.length > 0 ? '' : 'Nothing was found.');
      announce(found.length === 1 ? '1 message found' : `${found.length} messages found`);
    } catch (error) {
      if (search === this.#searches) showProblem(this.#problem, plainWords(error));
    }
  }

  #item({ conversation_id, message_id, excerpt, role }) {
    const words = make('a', { href: `#/${conversation_id}/${message_id}` }, excerpt);
    const author = make('span', { class: 'author' }, role === 'user' ? 'You' : 'Jessica');
    const button = make('button', { type: 'button', class: 'link' }, 'Delete');
    button.setAttribute('aria-label', `Delete the message: ${excerpt.slice(0, 80)}`);
    const item = make('li', {}, author, words, button);
    confirmed(button, () => this.#delete(message_id, item, button));
    return item;
  }

  async #delete(messageId, item, button) {
    button.disabled = true;
    try {
      await deleteMessage(this.#client, messageId);
      item.remove();
      this.#onDeleted(messageId);
      announce('The message was deleted');
      this.#input.focus();
    } catch (error) {
      button.disabled = false;
      showProblem(this.#problem, plainWords(error));
    }
  }
}
