// The settings: who guesses, what was given, and what is told about the model.

import { excuse } from "./keeping.js";

const byId = (id) => document.getElementById(id);

const NEWS = {
  server: "Your drawing is sent to the server to be guessed, and not kept.",
  loading: "One moment, I am packing my things…",
  device: "Your drawing stays on this device.",
  failed: "That does not work here, so the server goes on guessing.",
};

/** Wires the dialog. `changed` is called when somebody else guesses from now on. */
export function setUpSettings({ brain, keeping, changed }) {
  const show = () => showReceipts(keeping);
  byId("open-settings").addEventListener("click", () => {
    show();
    byId("settings").showModal();
  });
  keeping.addEventListener("change", show);
  byId("on-device").addEventListener("change", () => switchOver(brain, changed));
  byId("forget").addEventListener("click", async () => {
    byId("forget").disabled = true;
    try {
      await keeping.forget();
    } catch (error) {
      byId("kept-text").textContent = excuse(error);
    } finally {
      byId("forget").disabled = false;
    }
  });
}

async function switchOver(brain, changed) {
  const box = byId("on-device");
  brain.onDevice = box.checked;
  byId("on-device-news").textContent = NEWS[box.checked ? "loading" : "server"];
  if (box.checked) {
    box.disabled = true;
    try {
      await brain.loadLocal();
      byId("on-device-news").textContent = NEWS.device;
    } catch {
      box.checked = brain.onDevice = false;
      byId("on-device-news").textContent = NEWS.failed;
    }
    box.disabled = false;
    box.focus();
  }
  changed();
}

function showReceipts(keeping) {
  const count = keeping.receipts.length;
  if (count === 0 && byId("kept").hidden) return;
  byId("kept").hidden = false;
  byId("forget").hidden = count === 0;
  const drawings = count === 1 ? "one drawing" : `${count} drawings`;
  byId("kept-text").textContent = count
    ? `You gave ${drawings} to this server.`
    : "None of your drawings is kept.";
}

/** Tells about the model. */
export function showAbout({ words, attribution }) {
  byId("about-model").textContent = `Blot knows ${words} words; anything else it takes for one of them.`;
  byId("about-examples").textContent = `Its examples: ${attribution}.`;
}
