// Blot, the bot: its face, its speech bubble and its voice.

/** Shortest time that a sentence is shown, in milliseconds. */
const READING_TIME = 1300;

/** Distance at which the eyes are turned as far as possible, in pixels. */
const GAZE_RANGE = 260;

export class Bot {
  #face;
  #bubble;
  #voice;
  #readableUntil = 0;
  #speechTimer = null;
  #nextSentence = "";
  #cheerTimer = null;
  #gazeTarget = null;

  /**
   * @param {SVGElement} face
   * @param {HTMLElement} bubble shows what the bot says
   * @param {import("./voice.js").Voice} voice speaks it
   */
  constructor(face, bubble, voice) {
    this.#face = face;
    this.#bubble = bubble;
    this.#voice = voice;
  }

  /** One of idle, watching, thinking, happy, sad, asleep. Ignored while cheering. */
  set mood(mood) {
    if (this.#cheerTimer === null) this.#face.dataset.mood = mood;
  }

  /** Sets the mood even while the bot cheers. */
  setMood(mood) {
    clearTimeout(this.#cheerTimer);
    this.#cheerTimer = null;
    this.mood = mood;
  }

  /** Cheers for some milliseconds. */
  cheer(duration) {
    clearTimeout(this.#cheerTimer);
    this.#face.dataset.mood = "happy";
    this.#cheerTimer = setTimeout(() => this.setMood("watching"), duration);
  }

  /** Says a sentence at once. */
  say(sentence) {
    clearTimeout(this.#speechTimer);
    this.#speechTimer = null;
    this.#show(sentence);
    this.#voice.speak(sentence);
  }

  /** Says a sentence once the one before has been readable; only the newest counts. */
  mention(sentence) {
    this.#nextSentence = sentence;
    if (this.#speechTimer !== null) return;
    const wait = Math.max(0, this.#readableUntil - Date.now());
    this.#speechTimer = setTimeout(() => {
      this.#speechTimer = null;
      if (this.#bubble.textContent === this.#nextSentence) return;
      this.#show(this.#nextSentence);
      this.#voice.speakIfQuiet(this.#nextSentence);
    }, wait);
  }

  /** Looks at a point of the window. */
  lookAt({ x, y }) {
    if (this.#gazeTarget === null) requestAnimationFrame(() => this.#turnEyes());
    this.#gazeTarget = { x, y };
  }

  lookAhead() {
    this.#setGaze(0, 0);
  }

  #show(sentence) {
    this.#readableUntil = Date.now() + READING_TIME;
    if (this.#bubble.textContent !== sentence) this.#bubble.textContent = sentence;
  }

  #turnEyes() {
    const box = this.#face.getBoundingClientRect();
    const x = this.#gazeTarget.x - (box.left + box.width / 2);
    const y = this.#gazeTarget.y - (box.top + box.height / 2);
    this.#gazeTarget = null;
    const distance = Math.hypot(x, y) || 1;
    const scale = Math.min(1, distance / GAZE_RANGE) / distance;
    this.#setGaze(x * scale, y * scale);
  }

  #setGaze(x, y) {
    this.#face.style.setProperty("--gaze-x", x.toFixed(2));
    this.#face.style.setProperty("--gaze-y", y.toFixed(2));
  }
}
