// On a narrow screen the list of conversations is a drawer over the messages.
import { byId } from './elements.js';

export class Drawer {
  #sidebar = byId('sidebar');
  #opener = byId('open-menu');

  constructor() {
    this.#opener.addEventListener('click', () => this.#set(true));
    byId('close-menu').addEventListener('click', () => this.close());
    byId('backdrop').addEventListener('click', () => this.close());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    matchMedia('(min-width: 761px)').addEventListener('change', () => this.close());
  }

  close() {
    if (this.#sidebar.classList.contains('open')) this.#set(false);
  }

  #set(open) {
    this.#sidebar.classList.toggle('open', open);
    byId('backdrop').hidden = !open;
    byId('pane').inert = open;
    this.#opener.setAttribute('aria-expanded', String(open));
    if (open) byId('close-menu').focus();
    else this.#opener.focus();
  }
}
