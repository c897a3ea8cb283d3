// What a reply had done for it: a line for each tool it called.
import { make } from './elements.js';

/** @typedef {import('./reply_book.js').UsedTool} UsedTool */

const words = {
  running: (name) => `Using ${name}…`,
  done: (name) => `Used ${name}`,
  failed: (name) => `Used ${name}: it failed`,
};

export class ToolLines {
  element = make('ul', { class: 'tools' });

  /** @param {UsedTool[]} tools  all of them, in their order */
  show(tools) {
    this.element.replaceChildren(
      ...tools.map(({ name, status }) => make('li', { 'data-status': status }, words[status](name))),
    );
  }
}
