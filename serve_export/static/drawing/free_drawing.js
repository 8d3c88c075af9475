// Free drawing: guesses as bars, saving and donating the drawing.

import { CERTAIN, tellGuesses } from "../character/phrases.js";
import { text, wordName } from "../languages/language.js";
import { explainFailure } from "../server/donations.js";
import { load, store } from "../settings/storage.js";
import { saveFile, toNdjson, toPng } from "./files.js";

/** Milliseconds for which the bot cheers. */
const CHEER_TIME = 1500;

const byId = (id) => document.getElementById(id);

export class FreeDrawing {
  #drawing;
  #bars;
  #bot;
  #donations;
  #guesses = [];
  #cheeredWord = "";

  /** @param {object} parts drawing, bars, bot, donations */
  constructor({ drawing, bars, bot, donations }) {
    this.#drawing = drawing;
    this.#bars = bars;
    this.#bot = bot;
    this.#donations = donations;
    const saved = load("drawing", null);
    if (saved) drawing.restore(saved);
    byId("save").addEventListener("click", () => byId("save-dialog").showModal());
    byId("save-png").addEventListener("click", () => this.#savePng());
    byId("save-ndjson").addEventListener("click", () => this.#saveNdjson());
    byId("donate").addEventListener("click", () => this.#openDonateDialog());
    byId("donate-yes").addEventListener("click", () => this.#donate());
  }

  /** Shows this screen. */
  enter() {
    document.body.dataset.screen = "draw";
    this.#bot.setMood("idle");
    this.#bot.say(text(this.#drawing.isEmpty ? "draw_hello" : "draw_continue"));
  }

  leave() {
    this.#save();
  }

  /** Updates the buttons. */
  onExtend() {
    byId("save").disabled = byId("donate").disabled = this.#drawing.isEmpty;
    byId("donate").hidden = !this.#donations.areAccepted;
  }

  onReplace() {
    this.onExtend();
    this.#save();
    if (!this.#drawing.isEmpty) return;
    this.#guesses = [];
    this.#cheeredWord = "";
    this.#bars.show([]);
  }

  onLift() {
    this.#save();
  }

  onGuesses(guesses) {
    this.#guesses = guesses;
    this.#bars.show(guesses);
    this.#bot.mention(tellGuesses(guesses));
    const [{ word, probability }] = guesses;
    this.#bot.mood = probability < 0.5 ? "thinking" : "watching";
    if (probability < CERTAIN) return;
    if (this.#cheeredWord !== word) this.#bot.cheer(CHEER_TIME);
    this.#cheeredWord = word;
  }

  /** Sets the words under which a drawing can be donated. */
  set words(words) {
    const options = words.map((word) => new Option(wordName(word), word));
    options.sort((a, b) => a.text.localeCompare(b.text));
    byId("donate-word").replaceChildren(...options);
    this.onExtend();
  }

  #save() {
    store("drawing", this.#drawing.isEmpty ? null : this.#drawing.save());
  }

  // Files.

  get #namedDrawing() {
    const word = this.#guesses[0]?.word ?? "drawing";
    const drawing = this.#drawing.copyStrokes();
    return { word, drawing, recognized: this.#guesses.length > 0 };
  }

  async #savePng() {
    const named = this.#namedDrawing;
    saveFile(await toPng([named]), `${named.word}.png`);
    byId("save-dialog").close();
  }

  #saveNdjson() {
    const named = this.#namedDrawing;
    saveFile(toNdjson([named]), `${named.word}.ndjson`, "application/x-ndjson");
    byId("save-dialog").close();
  }

  // Donating.

  #openDonateDialog() {
    if (this.#guesses.length) byId("donate-word").value = this.#guesses[0].word;
    byId("donate-status").textContent = "";
    byId("donate-yes").disabled = false;
    byId("donate-dialog").showModal();
  }

  async #donate() {
    byId("donate-yes").disabled = true;
    try {
      const word = byId("donate-word").value;
      await this.#donations.donate(word, this.#drawing.copyStrokes());
      byId("donate-dialog").close();
      this.#bot.say(text("donate_thanks"));
      this.#bot.cheer(CHEER_TIME);
    } catch (error) {
      byId("donate-yes").disabled = false;
      byId("donate-status").textContent = explainFailure(error);
    }
  }
}
