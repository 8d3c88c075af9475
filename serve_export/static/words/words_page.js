// The page /words: all words that the model knows, and links to games with chosen ones.

import { ExampleDrawings } from "../game/example_drawings.js";
import { DEFAULT_ROUNDS, MAX_ROUNDS } from "../game/options.js";
import { isStillLearning } from "../game/word_choice.js";
import { language, text, translatePage, wordName } from "../languages/language.js";
import { Connection } from "../server/connection.js";
import { SITE_URL, requestJson } from "../server/requests.js";
import { normalize } from "./word_matcher.js";

/** Milliseconds for which the page says that the link was copied. */
const COPIED_TIME = 2000;

/** Host names that mean "this computer" to each device. */
const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

const byId = (id) => document.getElementById(id);

const connection = new Connection();
const examples = new ExampleDrawings(connection);

/** Loads the picture of a word when it becomes visible. */
const pictureObserver = new IntersectionObserver((entries, observer) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    examples.show(target.dataset.word, 0, target, { isAnimated: false });
  }
});

/** Chosen words, in the order of choice. */
const chosenWords = new Set();

function createItem({ word, example, top1 }) {
  const item = document.createElement("li");
  const label = document.createElement("label");
  label.className = "word";
  const checkbox = document.createElement("input");
  checkbox.type = "checkbox";
  checkbox.value = word;
  checkbox.addEventListener("change", () => {
    if (checkbox.checked) chosenWords.add(word);
    else chosenWords.delete(word);
    showLink();
    filterItems();
  });
  label.append(checkbox);
  if (example) {
    const image = document.createElement("img");
    image.alt = "";
    image.dataset.word = word;
    pictureObserver.observe(image);
    label.append(image);
  }
  const name = document.createElement("span");
  name.textContent = wordName(word);
  label.append(name);
  if (isStillLearning({ top1 })) {
    const note = document.createElement("small");
    note.textContent = text("still_learning");
    label.append(note);
  }
  item.append(label);
  item.dataset.spelling = `${normalize(wordName(word))} ${normalize(word)}`;
  return item;
}

function filterItems() {
  const search = normalize(byId("search").value);
  const onlyChosen = byId("only-chosen").checked;
  let found = 0;
  for (const item of byId("words").children) {
    const isChosen = item.querySelector("input").checked;
    const isFound = item.dataset.spelling.includes(search) && (isChosen || !onlyChosen);
    item.hidden = !isFound;
    found += isFound;
  }
  byId("found").textContent = text("words_found", { count: found });
}

function showLink() {
  const count = chosenWords.size;
  byId("chosen").textContent = count
    ? text("words_chosen", { count })
    : text("words_none_chosen");
  byId("unchoose").disabled = !count;
  const defaultRounds = Math.min(count || DEFAULT_ROUNDS, MAX_ROUNDS);
  byId("rounds").placeholder = defaultRounds;

  const url = new URL(SITE_URL);
  const parameters = { rounds: byId("rounds").value, seconds: byId("seconds").value };
  if (count) url.searchParams.set("words", [...chosenWords].join(","));
  for (const [name, value] of Object.entries(parameters)) {
    if (value) url.searchParams.set(name, value);
  }
  url.hash = "game";
  byId("link").href = url;
  byId("link").textContent = decodeURIComponent(url).replaceAll("+", " ");
  const qrCode = new URL("v1/qr_code", SITE_URL);
  qrCode.searchParams.set("text", url);
  byId("qr-code").src = qrCode;
}

async function copyLink() {
  const { href } = byId("link");
  try {
    await navigator.clipboard.writeText(href);
  } catch {
    // Without HTTPS there is no clipboard: select the link, so that Ctrl+C copies it.
    getSelection().selectAllChildren(byId("link"));
    return;
  }
  byId("copy").textContent = text("link_copied");
  setTimeout(() => {
    byId("copy").textContent = text("copy_link");
  }, COPIED_TIME);
}

function clearSelection() {
  chosenWords.clear();
  for (const checkbox of byId("words").querySelectorAll("input"))
    checkbox.checked = false;
  showLink();
  filterItems();
}

translatePage();
byId("qr-code").alt = text("qr_code");
byId("local-address").hidden = !LOOPBACK_HOSTS.includes(location.hostname);
byId("search").addEventListener("input", filterItems);
byId("only-chosen").addEventListener("change", filterItems);
byId("rounds").addEventListener("input", showLink);
byId("seconds").addEventListener("input", showLink);
byId("qr-code").addEventListener("load", () => {
  byId("qr-code").hidden = false;
});
byId("qr-code").addEventListener("error", () => {
  byId("qr-code").hidden = true; // the link is too long for a code
});
byId("copy").addEventListener("click", copyLink);
byId("unchoose").addEventListener("click", clearSelection);
showLink();

const { classes } = await connection.runUntilReached(() => requestJson("v1/classes"));
examples.classes = classes;
const { compare } = new Intl.Collator(language.code);
classes.sort((a, b) => compare(wordName(a.word), wordName(b.word)));
byId("words").replaceChildren(...classes.map(createItem));
filterItems();
