// Drawings of a word by other people, from the server: SVGs that draw themselves.

import { request } from "../server/requests.js";

/** Style without animation; not all browsers apply reduced motion within images. */
const NO_ANIMATION = "path{animation:none!important;stroke-dashoffset:0!important}";

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export class ExampleDrawings {
  #connection;
  #counts = new Map();
  #images = new Map(); // path to a promise of an SVG as text

  /** @param {import("../server/connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @param {import("./word_choice.js").KnownClass[]} classes */
  set classes(classes) {
    this.#counts = new Map(
      classes.map(({ word, example, examples }) => [word, examples ?? Number(example)]),
    );
  }

  /** Returns how many drawings of a word there are. */
  count(word) {
    return this.#counts.get(word) ?? 0;
  }

  /** Fetches the first drawing of each word, before it is needed. */
  prefetch(words) {
    for (const word of words)
      if (this.count(word)) this.#fetch(word, 0).catch(() => {});
  }

  /** Shows a drawing in an image; returns whether the server has sent it. */
  async show(word, index, image, { isAnimated = !reducedMotion.matches } = {}) {
    try {
      let svg = await this.#fetch(word, index);
      if (!isAnimated) svg = svg.replace("</style>", `${NO_ANIMATION}</style>`);
      // A new URL restarts the animation of the SVG.
      const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
      image.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
      image.src = url;
      return true;
    } catch {
      return false;
    }
  }

  #fetch(word, index) {
    const path = `v1/examples/${encodeURIComponent(word)}?index=${index}`;
    if (!this.#images.has(path)) {
      const svg = this.#connection.run(async () => (await request(path)).text());
      svg.catch(() => this.#images.delete(path));
      this.#images.set(path, svg);
    }
    return this.#images.get(path);
  }
}
