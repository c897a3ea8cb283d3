// The few words the page speaks to the DOM with.

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Shows `words` in a problem line, or hides it. */
export function showProblem(line, words) {
  line.textContent = words ?? '';
  line.hidden = !words;
}

/** Tells screen readers something once, politely. */
export function announce(words) {
  byId('announcer').textContent = words;
}
