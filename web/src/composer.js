// The message box: Enter sends, Shift + Enter starts a new line.
import { byId, showProblem } from './elements.js';

/** What the server takes in one message. */
const maxBytes = 262_144;
const maxRows = 8;
const encoder = new TextEncoder();

export class Composer {
  #text = byId('composer-text');
  #button = byId('send');
  #problem = byId('composer-problem');
  #growsByItself = CSS.supports('field-sizing', 'content');

  /** @param {(content: string) => void} onSend */
  constructor(onSend) {
    this.#text.addEventListener('input', () => this.#review());
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      byId('composer').requestSubmit();
    });
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#button.disabled) return;
      const content = this.#text.value.trim();
      this.clear();
      onSend(content);
    });
  }

  clear() {
    this.#text.value = '';
    this.#review();
  }

  focus() {
    this.#text.focus();
  }

  #review() {
    const content = this.#text.value.trim();
    const bytes = encoder.encode(content).length;
    const tooLong = bytes > maxBytes;
    this.#button.disabled = !content || tooLong;
    showProblem(
      this.#problem,
      tooLong &&
        `This message is too long: ${Math.ceil(bytes / 1024)} kB, and ${maxBytes / 1024} kB fit.`,
    );
    if (!this.#growsByItself)
      this.#text.rows = Math.min(maxRows, this.#text.value.split('\n').length);
  }
}
