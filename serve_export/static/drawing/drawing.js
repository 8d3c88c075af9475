// A drawing: strokes of points with times, y down, in pixels of the paper.

/** @typedef {number[][]} Stroke [xs, ys, ts]: pixels, and milliseconds since the first */

/** Smallest distance between two points of a stroke, in pixels. */
const MIN_DISTANCE = 1;

/** Most points that are sent to be guessed; longer drawings are thinned out. */
const MAX_POINTS = 4000;

export class Drawing {
  #strokes = [];
  #cleared = []; // what `clear` removed, for `undo`
  #startTime = 0;

  /** Size of the paper when the first stroke was drawn. */
  size = { width: 1, height: 1 };

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  get strokes() {
    return this.#strokes;
  }

  /** Starts a stroke; `time` is in milliseconds of any clock. */
  startStroke(x, y, time) {
    if (this.isEmpty) this.#startTime = time;
    this.#strokes.push([[], [], []]);
    this.#append(x, y, time);
  }

  /** Extends the last stroke, unless the point is too close to the one before. */
  extendStroke(x, y, time) {
    const [xs, ys] = this.#strokes.at(-1);
    if (Math.hypot(x - xs.at(-1), y - ys.at(-1)) < MIN_DISTANCE) return;
    this.#append(x, y, time);
  }

  /** Removes the last stroke, or reverts `clear`. */
  undo() {
    if (this.isEmpty) this.#strokes = this.#cleared.pop() ?? [];
    else this.#strokes.pop();
  }

  /** Removes all strokes; `undo` brings them back. */
  clear() {
    if (!this.isEmpty) this.#cleared.push(this.#strokes);
    this.#strokes = [];
  }

  /** Starts another drawing: nothing of this one can be brought back. */
  reset() {
    this.#strokes = [];
    this.#cleared = [];
  }

  /** Returns a copy of the strokes: [[xs, ys, ts], …]. */
  copyStrokes() {
    return this.#strokes.map((stroke) => stroke.map((axis) => axis.slice()));
  }

  /** Returns strokes [[xs, ys], …] with at most as many points as may be sent. */
  strokesToGuess() {
    return thinOut(this.#strokes, MAX_POINTS);
  }

  /** Returns what `restore` needs, as JSON can represent it. */
  save() {
    return { strokes: this.#strokes, size: this.size };
  }

  /** Restores what `save` returned. */
  restore({ strokes, size }) {
    this.reset();
    this.#strokes = strokes;
    this.size = size;
    const lastTime = strokes.at(-1)?.[2].at(-1) ?? 0;
    this.#startTime = performance.now() - lastTime; // further strokes follow
  }

  #append(x, y, time) {
    const [xs, ys, ts] = this.#strokes.at(-1);
    xs.push(Math.round(x * 100) / 100);
    ys.push(Math.round(y * 100) / 100);
    ts.push(Math.max(0, Math.round(time - this.#startTime)));
  }
}

/** Drops points until at most `limit` remain, but keeps the last one of each stroke. */
export function thinOut(strokes, limit) {
  const points = strokes.reduce((sum, [xs]) => sum + xs.length, 0);
  const step = Math.max(1, Math.ceil(points / limit));
  const isKept = (_, i, axis) => i % step === 0 || i === axis.length - 1;
  return strokes.map(([xs, ys]) => [xs.filter(isKept), ys.filter(isKept)]);
}
