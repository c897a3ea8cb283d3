// What can be done with one message: edit, ask again, go on, and step through its versions.
import { make } from './elements.js';

/**
 * @typedef {object} Actions
 * @property {(replyId: string) => void} onStop
 * @property {(messageId: string, content: string) => Promise<void>} onEdit  rejects: still editing
 * @property {(replyId: string) => Promise<void>} onRegenerate  until it is shown
 * @property {(replyId: string) => Promise<void>} onContinue
 * @property {(messageId: string, act: string) => void} onSelect  another version shall be shown
 */

const button = (label, act, attributes = {}) => {
  const made = make('button', { type: 'button', class: 'link', ...attributes }, label);
  made.addEventListener('click', act);
  return made;
};

/** The row of buttons below a message. */
export class MessageActions {
  element = make('div', { class: 'actions' });
  #actions;
  #id = '';
  #role;
  #drawn = '';

  /** @param {Actions} actions @param {'user' | 'assistant'} role */
  constructor(actions, role) {
    this.#actions = actions;
    this.#role = role;
  }

  /** @param {{id: string, status: string, text: string, siblings?: string[],
   *           finish_reason?: string, startEdit: () => void}} message */
  show({ id, status, text, siblings = [id], finish_reason, startEdit }) {
    const drawn = JSON.stringify([id, status, !text, siblings, finish_reason]);
    if (drawn === this.#drawn) return; // a growing reply changes nothing here
    this.#drawn = drawn;
    this.#id = id;
    const focused = this.element.contains(document.activeElement)
      ? document.activeElement.dataset.act
      : null;
    const done = status !== 'pending' && status !== 'streaming';
    const shown = [];
    if (siblings.length > 1) shown.push(this.#versions(siblings));
    if (done && this.#role === 'user') shown.push(button('Edit', startEdit, { 'data-act': 'edit' }));
    if (done && this.#role === 'assistant') {
      const brokeOff = status === 'cancelled' || status === 'error' || finish_reason === 'length';
      if (brokeOff && text) shown.push(this.#once('Continue', 'continue', this.#actions.onContinue));
      shown.push(this.#once('Try again', 'again', this.#actions.onRegenerate));
    }
    this.element.replaceChildren(...shown);
    if (focused) this.focus(focused);
  }

  hide() {
    this.#drawn = '';
    this.element.replaceChildren();
  }

  /** @param {string} [act]  the button's; else any that can be used */
  focus(act) {
    const found =
      this.element.querySelector(`[data-act="${act}"]:not(:disabled)`) ??
      this.element.querySelector('button:not(:disabled)');
    found?.focus();
  }

  /** A button that cannot be pressed again before what it asked for is there. */
  #once(label, act, wanted) {
    const press = async () => {
      made.disabled = true;
      await wanted(this.#id);
      made.disabled = false;
    };
    const made = button(label, press, { 'data-act': act });
    return made;
  }

  #versions(siblings) {
    const at = siblings.indexOf(this.#id);
    const step = (to, label, sign, act) => {
      const made = button(sign, () => this.#actions.onSelect(siblings[to], act), {
        'aria-label': label,
        'data-act': act,
      });
      made.disabled = siblings[to] === undefined;
      return made;
    };
    return make(
      'span',
      { class: 'versions', role: 'group', 'aria-label': 'Versions' },
      step(at - 1, 'Previous version', '‹', 'previous'),
      make('span', { class: 'version' }, `${at + 1} / ${siblings.length}`),
      step(at + 1, 'Next version', '›', 'next'),
    );
  }
}

/** A message's text as a form: Enter or Save takes it, Escape leaves it. */
export function editor(text, onSave, onLeave) {
  const box = make('textarea', { 'aria-label': 'Edit your message', rows: '3' });
  box.value = text;
  const save = make('button', { type: 'submit', class: 'link' }, 'Save');
  const problem = make('p', { class: 'note problem', role: 'alert', hidden: '' });
  const form = make(
    'form',
    { class: 'editor' },
    box,
    make('div', { class: 'actions' }, button('Cancel', onLeave), save),
    problem,
  );
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') onLeave();
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const content = box.value.trim();
    if (!content || save.disabled) return;
    save.disabled = true;
    try {
      await onSave(content);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      save.disabled = false;
    }
  });
  return { form, focus: () => box.focus() };
}
