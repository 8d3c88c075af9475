// Values that the browser keeps between visits, in localStorage.

const PREFIX = "blot.";

/** Values of this visit, for browsers that refuse localStorage. */
const session = new Map();

/** Returns a stored value, or `fallback` if there is none. */
export function load(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text !== null) return JSON.parse(text);
  } catch {
    // Access refused, or not JSON: use the value of this visit.
  }
  return session.get(name) ?? fallback;
}

/** Stores a value that JSON can represent; null removes it. */
export function store(name, value) {
  session.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Refused or full: the value is lost when the page is closed.
  }
}
