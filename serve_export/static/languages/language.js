// The texts and words of the visitor's language, from `<code>.json` in this folder.

import { load, store } from "../settings/storage.js";

/** Code to name, as shown in the settings. One JSON file each. */
export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  pt: "Português",
  ja: "日本語",
};

/**
 * @typedef {object} Language
 * @property {string} code
 * @property {Object<string, string | string[] | Object<string, string>>} interface
 *   a text; or variants of it; or its plural forms by category of Intl.PluralRules
 * @property {Object<string, string>} words class name to the word within a sentence
 * @property {string[]} articles what `words` may begin with, longest first
 * @property {Object<string, string>} plurals ending of a plural to that of the singular
 */

/** Returns the stored choice, else the first supported language of the browser. */
export function preferredLanguage() {
  const codes = [
    load("language", ""),
    ...navigator.languages.map((tag) => tag.split("-")[0]),
  ];
  return codes.find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en";
}

/** Stores a choice and reloads the page; drawing and game are restored from storage. */
export function changeLanguage(code) {
  store("language", code);
  location.reload();
}

/** @returns {Promise<Language>} */
export async function loadLanguage(code) {
  const response = await fetch(new URL(`${code}.json`, import.meta.url));
  return { code, ...(await response.json()) };
}

/** The language of this page. @type {Language} */
export const language = await loadLanguage(preferredLanguage());

const pluralRules = new Intl.PluralRules(language.code);
const percentFormat = new Intl.NumberFormat(language.code, { style: "percent" });

/**
 * Returns a text of the interface, in which `{name}` is replaced by `values.name`.
 * `values.count` selects the plural form; `values.variant` (an integer) the variant.
 */
export function text(key, values = {}) {
  let template = language.interface[key];
  if (Array.isArray(template))
    template = template[(values.variant ?? 0) % template.length];
  else if (typeof template === "object") {
    template = template[pluralRules.select(values.count)] ?? template.other;
  }
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A word within a sentence: "an owl", "stairs", "the Eiffel Tower". */
export function wordPhrase(word) {
  return language.words[word] ?? word;
}

/** A word by itself: "owl", "stairs", "Eiffel Tower". */
export function wordName(word) {
  const phrase = wordPhrase(word);
  const article = language.articles.find((each) => phrase.startsWith(each)) ?? "";
  return phrase.slice(article.length);
}

/** What texts about a word may contain: `{word}`, as in a sentence, or `{name}`. */
export function wordValues(word) {
  return { word: wordPhrase(word), name: wordName(word) };
}

/** Words joined within a sentence: "a cat and an owl", with `type` "disjunction" "or". */
export function joinWords(words, type = "conjunction") {
  return new Intl.ListFormat(language.code, { type }).format(words.map(wordPhrase));
}

export function formatPercent(share) {
  return percentFormat.format(share);
}

/** Fills the elements whose text or label is a text of the interface. */
export function translatePage() {
  document.documentElement.lang = language.code;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = text(element.dataset.placeholder);
  }
}
