// What the browser remembers, as long as it wants to.

const PREFIX = "blot.";

const session = new Map();

/** Gives what was remembered, else `otherwise`. */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text !== null) return JSON.parse(text);
  } catch {
    // Refused, or not ours: what follows is as good while the page is open.
  }
  return session.get(name) ?? otherwise;
}

/** Remembers anything that JSON can tell. */
export function remember(name, value) {
  session.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Refused: it is forgotten with the page.
  }
}
