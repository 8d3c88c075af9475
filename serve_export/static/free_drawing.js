// Free drawing: guesses as bars, and what Blot thinks of them.

import { save, toNdjson, toPng } from "./download.js";
import { excuse } from "./keeping.js";
import { say } from "./talk.js";

const SURE = 0.85;
const CHEER = 1500;
/** Milliseconds that it is glad to have guessed. */

const byId = (id) => document.getElementById(id);

export class FreeDrawing {
  #ink;
  #bars;
  #bot;
  #keeping;
  #guesses = [];
  #glad = "";

  constructor({ ink, bars, bot, keeping }) {
    this.#ink = ink;
    this.#bars = bars;
    this.#bot = bot;
    this.#keeping = keeping;
    byId("save").addEventListener("click", () => byId("save-dialog").showModal());
    byId("save-png").addEventListener("click", () => this.#savePicture());
    byId("save-ndjson").addEventListener("click", () => this.#saveStrokes());
    byId("give").addEventListener("click", () => this.#openGiving());
    byId("give-yes").addEventListener("click", () => this.#give());
    this.taken();
  }

  /** Says hello, or goes on where one was. */
  enter() {
    this.#bot.calm("idle");
    this.#bot.say(
      this.#ink.empty
        ? "Draw something, and I will guess what it is!"
        : "Here is your drawing again. Go on!",
    );
    this.taken();
  }

  /** The pen has drawn: now some buttons make sense. */
  drawn() {
    for (const id of ["save", "give"]) byId(id).disabled = this.#ink.empty;
    byId("give").hidden = !this.#keeping.offered;
  }

  /** Something was taken away. */
  taken() {
    this.drawn();
    if (!this.#ink.empty) return;
    this.#guesses = [];
    this.#glad = "";
    this.#bars.show([]);
  }

  /** Blot has guessed. */
  show(guesses) {
    if (!guesses.length) return;
    this.#guesses = guesses;
    this.#bars.show(guesses);
    this.#bot.mention(say(guesses));
    const [{ word, probability }] = guesses;
    this.#bot.mood = probability < 0.5 ? "thinking" : "watching";
    if (probability < SURE) return;
    if (this.#glad !== word) this.#bot.cheer(CHEER);
    this.#glad = word;
  }

  // Files.

  get #work() {
    const word = this.#guesses[0]?.word ?? "drawing";
    return { word, drawing: this.#ink.toDrawing(), recognized: this.#guesses.length > 0 };
  }

  async #savePicture() {
    save(await toPng([this.#work]), `${this.#work.word}.png`);
    byId("save-dialog").close();
  }

  #saveStrokes() {
    save(toNdjson([this.#work]), `${this.#work.word}.ndjson`, "application/x-ndjson");
    byId("save-dialog").close();
  }

  // Giving.

  /** Tells which words a drawing may be given under. */
  set words(words) {
    byId("give-word").replaceChildren(...words.map((word) => new Option(word)));
  }

  #openGiving() {
    if (this.#guesses.length) byId("give-word").value = this.#guesses[0].word;
    byId("give-news").textContent = "";
    byId("give-yes").disabled = false;
    byId("give-dialog").showModal();
  }

  async #give() {
    byId("give-yes").disabled = true;
    try {
      await this.#keeping.give(byId("give-word").value, this.#ink.toDrawing());
      byId("give-dialog").close();
      this.#bot.say("Thank you! I keep it well. The settings have it forgotten again.");
      this.#bot.cheer(CHEER);
    } catch (error) {
      byId("give-yes").disabled = false;
      byId("give-news").textContent = excuse(error);
    }
  }
}
