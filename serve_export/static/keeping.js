// Drawings that people give: only after a clear yes, and forgotten when they say so.

import { recall, remember } from "./memory.js";
import { Refused, askJson, ask } from "./server.js";

/** @typedef {{key_id: string, secret: string}} Receipt */

export class Keeping extends EventTarget {
  #brain;

  /** Whether the server takes drawings; as long as nobody knows, it does not. */
  offered = false;

  /** Dispatches `change` when there are more or fewer receipts. */
  constructor(brain) {
    super();
    this.#brain = brain;
  }

  /** @returns {Receipt[]} of what was given from this browser */
  get receipts() {
    return recall("receipts", []);
  }

  /**
   * Gives a drawing; whoever calls this has the consent of who drew it.
   * @throws {Away|Busy|Refused} it was not kept
   */
  async give(word, drawing) {
    const body = { word, drawing, consent: true };
    const answer = await this.#brain.reach(() => askJson("v1/drawings", { body }));
    this.#set([...this.receipts, { key_id: answer.key_id, secret: answer.secret }]);
  }

  /**
   * Has all forgotten that was given from this browser.
   * @throws {Away|Busy|Refused} some are still there, and their receipts too
   */
  async forget() {
    for (const { key_id, secret } of this.receipts) {
      const settings = { method: "DELETE", headers: { secret } };
      try {
        await this.#brain.reach(() => ask(`v1/drawings/${key_id}`, settings));
      } catch (error) {
        if (!(error instanceof Refused && error.status === 404)) throw error;
      }
      this.#set(this.receipts.filter((receipt) => receipt.key_id !== key_id));
    }
  }

  #set(receipts) {
    remember("receipts", receipts);
    this.dispatchEvent(new Event("change"));
  }
}

/** How a trouble is told to people. */
export function excuse(error) {
  if (error instanceof Refused) return `The server said no: ${error.message}.`;
  return "The server is out of reach. Please try again later.";
}

/**
 * Fills a box with the question whether works may be kept; nothing is sent before yes.
 * @param {HTMLElement} box
 * @param {Keeping} keeping
 * @param {{word: string, drawing: number[][][]}[]} works
 */
export function askConsent(box, keeping, works) {
  box.hidden = !keeping.offered || !works.length;
  if (box.hidden) return;
  const count = works.length === 1 ? "this drawing" : `these ${works.length} drawings`;
  const text = document.createElement("p");
  text.setAttribute("role", "status");
  text.textContent =
    `May ${count} be kept, to teach bots like me? Only lines, word and time, ` +
    "nothing about you. Otherwise nothing is kept.";
  const buttons = document.createElement("div");
  buttons.className = "consent-buttons";
  const no = newButton("No, thanks", "");
  const yes = newButton(works.length === 1 ? "Yes, keep it" : "Yes, keep them", "quiet");
  buttons.append(no, yes);
  box.replaceChildren(text, buttons);

  text.tabIndex = -1; // takes the focus when the buttons go
  no.addEventListener("click", () => {
    text.focus();
    buttons.remove();
    text.textContent = "All right: nothing was kept.";
  });
  yes.addEventListener("click", () => keepAll(keeping, works, text, buttons));
}

async function keepAll(keeping, works, text, buttons) {
  text.focus();
  buttons.remove();
  text.textContent = "Sending…";
  const left = [...works];
  try {
    while (left.length) {
      await keeping.give(left[0].word, left[0].drawing);
      left.shift();
    }
    const kept = works.length === 1 ? "It is kept" : "They are kept";
    text.textContent = `Thank you! ${kept}, until you say otherwise:`;
  } catch (error) {
    text.textContent = `${works.length - left.length} were kept. ${excuse(error)}`;
  }
  if (left.length === works.length) return;
  const forget = newButton("Forget my drawings", "quiet");
  text.after(forget);
  forget.addEventListener("click", async () => {
    forget.disabled = true;
    try {
      await keeping.forget();
      forget.remove();
      text.textContent = "All forgotten.";
    } catch (error) {
      forget.disabled = false;
      text.textContent = excuse(error);
    }
  });
}

function newButton(text, kind) {
  const button = document.createElement("button");
  button.className = `button ${kind}`;
  button.textContent = text;
  return button;
}
