// The end of a game: all drawings, files of them, and whether they may be stored.

import { saveFile, toNdjson, toPng } from "../drawing/files.js";
import { text } from "../languages/language.js";
import { showConsentForm } from "../server/consent_form.js";
import { renderResultCards, showResultCards } from "./result_cards.js";

const byId = (id) => document.getElementById(id);

export class EndScreen {
  #donations;
  #results = [];

  /** @param {import("../server/donations.js").Donations} donations */
  constructor(donations) {
    this.#donations = donations;
    byId("save-all-png").addEventListener("click", async () => {
      saveFile(await toPng(this.#results), "drawings.png");
    });
    byId("save-all-ndjson").addEventListener("click", () => {
      saveFile(toNdjson(this.#drawn), "drawings.ndjson", "application/x-ndjson");
    });
    const darkMode = matchMedia("(prefers-color-scheme: dark)");
    darkMode.addEventListener("change", () => {
      renderResultCards(byId("gallery"), this.#results);
    });
  }

  /**
   * @param {import("./rounds.js").RoundResult[]} results
   * @param {number} total points of this game
   * @param {number} best points of all games before
   */
  show(results, total, best) {
    this.#results = results;
    byId("end-title").textContent = text("end_title", { points: total });
    byId("end-best").textContent =
      total > best ? text("new_best") : text("your_best", { points: best });
    showResultCards(byId("gallery"), results);
    byId("save-all-ndjson").disabled = byId("save-all-png").disabled =
      !this.#drawn.length;
    showConsentForm(byId("consent"), this.#donations, this.#drawn);
    byId("end").scrollTop = 0;
  }

  get #drawn() {
    return this.#results.filter(({ drawing }) => drawing.length);
  }
}
