// Finds the class that a person means by a word, in English or in the page's language.

import { language, wordName } from "../languages/language.js";

const ENGLISH_PLURALS = { ies: "y", es: "", s: "" };

export class WordMatcher {
  #words = new Map(); // normalized spelling to class name
  #singulars = new Map(); // normalized singular to class name

  /** @param {string[]} classNames */
  constructor(classNames) {
    for (const name of classNames) {
      for (const spelling of [normalize(name), normalize(wordName(name))]) {
        if (!this.#words.has(spelling)) this.#words.set(spelling, name);
        for (const singular of singularsOf(spelling)) {
          if (!this.#singulars.has(singular)) this.#singulars.set(singular, name);
        }
      }
    }
  }

  /** Returns the class; case, spaces, hyphens, accents and plural are ignored. */
  match(text) {
    const spelling = normalize(text);
    if (this.#words.has(spelling)) return this.#words.get(spelling);
    for (const singular of singularsOf(spelling)) {
      const word = this.#words.get(singular) ?? this.#singulars.get(singular);
      if (word) return word;
    }
    return null;
  }

  /** Returns up to `count` classes with a similar spelling, most similar first. */
  suggest(text, count = 3) {
    const spelling = normalize(text);
    const distances = new Map();
    for (const [other, word] of this.#words) {
      const isPart = spelling.length > 2 && ` ${other} `.includes(` ${spelling} `);
      const distance = isPart ? 0.5 : editDistance(spelling, other);
      if (distance > Math.ceil(spelling.length / 3)) continue;
      distances.set(word, Math.min(distance, distances.get(word) ?? Infinity));
    }
    return [...distances.keys()]
      .sort((a, b) => distances.get(a) - distances.get(b))
      .slice(0, count);
  }
}

/** Returns a spelling without case, Latin accents, punctuation and extra spaces. */
export function normalize(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Returns the spelling and the singulars of which it may be the plural. */
function singularsOf(spelling) {
  const rules = Object.entries({ ...ENGLISH_PLURALS, ...language.plurals });
  const singulars = rules
    .filter(
      ([plural]) => spelling.endsWith(plural) && spelling.length > plural.length + 2,
    )
    .map(([plural, singular]) => spelling.slice(0, -plural.length) + singular);
  return [spelling, ...singulars];
}

/** Returns the Levenshtein distance of two texts. */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
