// Asks at the end of a game whether its drawings may be stored.

import { text } from "../languages/language.js";
import { explainFailure } from "./donations.js";

/**
 * Fills an element with the question. Nothing is sent before the visitor agrees.
 * @param {HTMLElement} form
 * @param {import("./donations.js").Donations} donations
 * @param {{word: string, drawing: number[][][]}[]} results
 */
export function showConsentForm(form, donations, results) {
  form.hidden = !donations.areAccepted || !results.length;
  if (form.hidden) return;
  const message = document.createElement("p");
  message.setAttribute("role", "status");
  message.tabIndex = -1; // receives the focus when the buttons are removed
  message.textContent = text("consent_question", { count: results.length });
  const buttons = document.createElement("div");
  buttons.className = "consent-buttons";
  const decline = createButton(text("consent_no"), "");
  const accept = createButton(text("consent_yes", { count: results.length }), "quiet");
  buttons.append(decline, accept);
  form.replaceChildren(message, buttons);

  decline.addEventListener("click", () => {
    message.focus();
    buttons.remove();
    message.textContent = text("nothing_stored");
  });
  accept.addEventListener("click", () => {
    message.focus();
    buttons.remove();
    donateAll(donations, results, message);
  });
}

async function donateAll(donations, results, message) {
  message.textContent = text("sending");
  let stored = 0;
  try {
    for (const { word, drawing } of results) {
      await donations.donate(word, drawing);
      stored++;
    }
    message.textContent = text("donated", { count: stored });
  } catch (error) {
    const failure = explainFailure(error);
    message.textContent = `${text("partly_donated", { count: stored })} ${failure}`;
  }
  if (stored > 0) addDeleteButton(donations, message);
}

function addDeleteButton(donations, message) {
  const button = createButton(text("delete_drawings"), "quiet");
  message.after(button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await donations.deleteAll();
      button.remove();
      message.textContent = text("all_deleted");
    } catch (error) {
      button.disabled = false;
      message.textContent = explainFailure(error);
    }
  });
}

function createButton(label, style) {
  const button = document.createElement("button");
  button.className = `button ${style}`;
  button.textContent = label;
  return button;
}
