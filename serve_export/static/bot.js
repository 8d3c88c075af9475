// Blot's face and voice.

const PAUSE = 1300;
/** Milliseconds that a sentence stays, at least, so that it can be read and heard. */

const REACH = 260;
/** Pixels at which its eyes have turned as far as they can. */

export class Bot {
  #face;
  #says;
  #next = 0;
  #timer = null;
  #waiting = "";
  #cheering = null;
  #gaze = null;

  /**
   * @param {SVGElement} face
   * @param {HTMLElement} says where its words appear
   */
  constructor(face, says) {
    this.#face = face;
    this.#says = says;
  }

  /** idle, watching, thinking, happy, sad or asleep. */
  set mood(mood) {
    if (this.#cheering === null) this.#face.dataset.mood = mood;
  }

  /** Is happy for so many milliseconds, whatever comes. */
  cheer(milliseconds) {
    clearTimeout(this.#cheering);
    this.#face.dataset.mood = "happy";
    this.#cheering = setTimeout(() => this.calm("watching"), milliseconds);
  }

  /** Ends cheering. */
  calm(mood) {
    clearTimeout(this.#cheering);
    this.#cheering = null;
    this.mood = mood;
  }

  /** Says something at once. */
  say(text) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#speak(text);
  }

  /** Says something when what it said before can have been read; the newest counts. */
  mention(text) {
    this.#waiting = text;
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#next - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#speak(this.#waiting);
    }, wait);
  }

  /** Looks at a point of the window. */
  look({ x, y }) {
    if (this.#gaze === null) requestAnimationFrame(() => this.#turn());
    this.#gaze = { x, y };
  }

  /** Looks ahead. */
  lookUp() {
    this.#face.style.setProperty("--gaze-x", "0");
    this.#face.style.setProperty("--gaze-y", "0");
  }

  #speak(text) {
    this.#next = Date.now() + PAUSE;
    if (this.#says.textContent !== text) this.#says.textContent = text;
  }

  #turn() {
    const box = this.#face.getBoundingClientRect();
    const x = this.#gaze.x - (box.left + box.width / 2);
    const y = this.#gaze.y - (box.top + box.height / 2);
    this.#gaze = null;
    const far = Math.hypot(x, y) || 1;
    const turn = Math.min(1, far / REACH) / far;
    this.#face.style.setProperty("--gaze-x", (x * turn).toFixed(2));
    this.#face.style.setProperty("--gaze-y", (y * turn).toFixed(2));
  }
}
