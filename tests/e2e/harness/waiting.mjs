// Waiting for events, always with a limit: no test sleeps.

export const second = 1000;
/** Generous: a loaded machine is slow, a hang is still found. */
export const patience = 15 * second;

/** Rejects when `promise` takes longer than `limit` ms. */
export async function within(limit, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limit} ms: ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until `probe` gives something truthy; gives that. */
export async function until(what, probe, limit = patience, every = 50) {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** Things that arrived, in order, and a way to wait for one. */
export class Inbox {
  items = [];
  #waiters = new Set();

  push(item) {
    this.items.push(item);
    for (const check of [...this.#waiters]) check();
  }

  /** The first item at or after `from` that `wanted` accepts. */
  find(what, wanted, { from = 0, limit = patience } = {}) {
    return within(limit, what, this.#wait(wanted, from)).catch((error) => {
      error.message += `; arrived so far: ${summary(this.items)}`;
      throw error;
    });
  }

  #wait(wanted, from) {
    return new Promise((resolve) => {
      let next = from;
      const check = () => {
        for (; next < this.items.length; ++next)
          if (wanted(this.items[next])) {
            this.#waiters.delete(check);
            return resolve(this.items[next]);
          }
      };
      this.#waiters.add(check);
      check();
    });
  }
}

function summary(items) {
  const text = JSON.stringify(items.slice(-8));
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text;
}
