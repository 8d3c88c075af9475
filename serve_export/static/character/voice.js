// Speaks the bot's sentences aloud, with the speech synthesis of the browser.

import { load, store } from "../settings/storage.js";

const PITCH = 1.3;

export class Voice {
  #languageCode;
  #hasInteracted = false;

  /** Stays silent until the visitor has tapped or typed for the first time. */
  constructor(languageCode) {
    this.#languageCode = languageCode;
    for (const type of ["pointerdown", "keydown"]) {
      const start = () => {
        this.#hasInteracted = true;
      };
      window.addEventListener(type, start, { once: true, capture: true });
    }
    window.addEventListener("pagehide", () => this.#stop());
  }

  /** Whether this browser can speak. */
  static isSupported() {
    return "speechSynthesis" in window;
  }

  get isMuted() {
    return load("muted", false);
  }

  set isMuted(muted) {
    store("muted", muted);
    if (muted) this.#stop();
  }

  /** Speaks a sentence at once, in place of the current one. */
  speak(sentence) {
    if (!Voice.isSupported() || !this.#hasInteracted || this.isMuted) return;
    this.#stop();
    const utterance = new SpeechSynthesisUtterance(sentence);
    utterance.lang = this.#languageCode;
    utterance.pitch = PITCH;
    speechSynthesis.speak(utterance);
  }

  /** Speaks a sentence unless another one is being spoken. */
  speakIfQuiet(sentence) {
    if (Voice.isSupported() && !speechSynthesis.speaking) this.speak(sentence);
  }

  #stop() {
    if (Voice.isSupported()) speechSynthesis.cancel();
  }
}
