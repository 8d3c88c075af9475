// The end of a game: all drawings, what Blot saw, and whether they may be kept.

import { save, toNdjson, toPng } from "./download.js";
import { paint, showWork } from "./game_screens.js";
import { askConsent } from "./keeping.js";

const byId = (id) => document.getElementById(id);

export class EndScreen {
  #keeping;
  #works = [];

  constructor(keeping) {
    this.#keeping = keeping;
    byId("save-picture").addEventListener("click", async () => {
      save(await toPng(this.#works), "drawings.png");
    });
    byId("save-lines").addEventListener("click", () => {
      const drawn = this.#works.filter((work) => work.drawing.length);
      save(toNdjson(drawn), "drawings.ndjson", "application/x-ndjson");
    });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => paint(byId("gallery"), this.#works));
  }

  /**
   * @param works of all rounds
   * @param {number} total points
   * @param {number} best of the games before
   */
  show(works, total, best) {
    this.#works = works;
    byId("end-title").textContent = `${total} points`;
    byId("end-best").textContent =
      total > best ? "That’s your best ever!" : `Your best: ${best} points`;
    byId("gallery").replaceChildren(...works.map(showWork));
    paint(byId("gallery"), works);
    const drawn = works.filter((work) => work.drawing.length);
    byId("save-lines").disabled = byId("save-picture").disabled = !drawn.length;
    askConsent(byId("consent"), this.#keeping, drawn);
    byId("end").scrollTop = 0;
  }
}
