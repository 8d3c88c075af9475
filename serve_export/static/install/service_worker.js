// The service worker of the whole site: keeps copies of what the page loads, and answers
// with them when the server is unreachable.

const CACHE = "blot-1";

/** Milliseconds to wait for the server if there is a copy. */
const TIMEOUT = 4000;

/** What the page needs; more is copied when it is first loaded. */
const FILES = [
  "./",
  "words",
  "v1/about",
  "v1/classes",
  "static/app.js",
  "static/character/bot.js",
  "static/character/phrases.js",
  "static/character/voice.js",
  "static/drawing/board.js",
  "static/drawing/drawing.js",
  "static/drawing/files.js",
  "static/drawing/free_drawing.js",
  "static/drawing/render.js",
  "static/game/confetti.js",
  "static/game/countdown.js",
  "static/game/end_screen.js",
  "static/game/example_drawings.js",
  "static/game/options.js",
  "static/game/result_cards.js",
  "static/game/rounds.js",
  "static/game/screens.js",
  "static/game/word_choice.js",
  "static/guesses/guess_bars.js",
  "static/guesses/guess_source.js",
  "static/guesses/live_guesses.js",
  "static/install/icon-512.png",
  "static/install/icon.svg",
  "static/install/manifest.webmanifest",
  "static/install/offline_support.js",
  "static/languages/de.json",
  "static/languages/en.json",
  "static/languages/es.json",
  "static/languages/fr.json",
  "static/languages/ja.json",
  "static/languages/language.js",
  "static/languages/pt.json",
  "static/offline/local_guesser.js",
  "static/offline/strokes.js",
  "static/offline/worker.js",
  "static/server/connection.js",
  "static/server/connection_banner.js",
  "static/server/consent_form.js",
  "static/server/donations.js",
  "static/server/requests.js",
  "static/settings/settings_dialog.js",
  "static/settings/storage.js",
  "static/styles/base.css",
  "static/styles/character.css",
  "static/styles/character_motion.css",
  "static/styles/end_screen.css",
  "static/styles/game.css",
  "static/styles/layout.css",
  "static/styles/paper.css",
  "static/styles/words.css",
  "static/words/word_matcher.js",
  "static/words/words_page.js",
];

const COPIED_PATHS = /^(|words|static\/.*|web\/.*|v1\/(about|classes|examples\/.*))$/;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  const { scope } = self.registration;
  const urls = FILES.map((file) => new URL(file, scope).href);
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(urls)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOldCaches().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !COPIED_PATHS.test(pathOf(request.url))) return;
  event.respondWith(fetchOrUseCopy(request));
});

self.addEventListener("message", (event) => {
  if (event.data === "refresh model") event.waitUntil(refreshModel());
});

/** Returns the path of a URL below the site; the URL itself if it is not below. */
function pathOf(url) {
  const { scope } = self.registration;
  return url.startsWith(scope) ? url.slice(scope.length).split(/[?#]/)[0] : url;
}

/** Returns the URL of a copy: pages have one copy, whatever their query is. */
function keyOf(request) {
  if (request.mode !== "navigate") return request.url;
  return new URL(pathOf(request.url), self.registration.scope).href;
}

async function fetchOrUseCopy(request) {
  const cache = await caches.open(CACHE);
  const key = keyOf(request);
  const copy = await cache.match(key);
  try {
    const response = await fetchWithTimeout(request.url, copy ? TIMEOUT : Infinity);
    if (response.ok) await cache.put(key, response.clone());
    // A proxy in front of a stopped server answers with 502 to 504.
    return copy && response.status >= 502 ? copy : response;
  } catch {
    return copy ?? Response.error();
  }
}

/** Fetches a URL; the timeout is for the headers, as a large body may take longer. */
async function fetchWithTimeout(url, timeout) {
  const controller = new AbortController();
  const isLimited = Number.isFinite(timeout);
  const timer = isLimited ? setTimeout(() => controller.abort(), timeout) : null;
  try {
    return await fetch(url, { signal: controller.signal, credentials: "same-origin" });
  } finally {
    clearTimeout(timer);
  }
}

/** Fetches the files of the model again; unchanged ones are only revalidated. */
async function refreshModel() {
  const cache = await caches.open(CACHE);
  const requests = await cache.keys();
  const files = requests.filter(({ url }) => pathOf(url).startsWith("web/"));
  await Promise.allSettled(files.map((request) => cache.add(request)));
}

async function removeOldCaches() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("blot-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}
