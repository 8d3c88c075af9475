// A drawing: strokes of points with their times, y down, in pixels of its paper.

/** @typedef {number[][]} Stroke [xs, ys, ts]: pixels, and milliseconds since the first */

const NEAREST = 1;
/** Pixels: a point nearer to the one before it says nothing new. */

const MOST_POINTS = 4000;
/** That are sent to be guessed; of more, every second, third, … is left out. */

export class Ink {
  #strokes = [];
  #began = 0;

  /** Of the paper when the first stroke was drawn. */
  size = { width: 1, height: 1 };

  get empty() {
    return this.#strokes.length === 0;
  }

  get strokes() {
    return this.#strokes;
  }

  /** Begins a stroke at a point; `time` in milliseconds of any clock. */
  begin(x, y, time) {
    if (this.empty) this.#began = time;
    this.#strokes.push([[], [], []]);
    this.#append(x, y, time);
  }

  /** Goes on with the stroke. */
  add(x, y, time) {
    const [xs, ys] = this.#strokes.at(-1);
    if (Math.hypot(x - xs.at(-1), y - ys.at(-1)) < NEAREST) return;
    this.#append(x, y, time);
  }

  /** Takes the last stroke back. */
  undo() {
    this.#strokes.pop();
  }

  clear() {
    this.#strokes = [];
  }

  /** A copy that no further stroke changes: [[xs, ys, ts], …]. */
  toDrawing() {
    return this.#strokes.map((stroke) => stroke.map((axis) => axis.slice()));
  }

  /** What is guessed: [[xs, ys], …], without times, of no more points than needed. */
  toGuess() {
    return thin(this.#strokes, MOST_POINTS);
  }

  #append(x, y, time) {
    const [xs, ys, ts] = this.#strokes.at(-1);
    xs.push(Math.round(x * 100) / 100);
    ys.push(Math.round(y * 100) / 100);
    ts.push(Math.max(0, Math.round(time - this.#began)));
  }
}

/** Leaves points out until at most so many are there, but never a stroke's last. */
export function thin(strokes, most) {
  const points = strokes.reduce((sum, [xs]) => sum + xs.length, 0);
  const step = Math.max(1, Math.ceil(points / most));
  const stays = (_, i, axis) => i % step === 0 || i === axis.length - 1;
  return strokes.map(([xs, ys]) => [xs.filter(stays), ys.filter(stays)]);
}

/** The smallest box around strokes: {left, top, width, height}. */
export function boundsOf(strokes) {
  const xs = strokes.flatMap((stroke) => stroke[0]);
  const ys = strokes.flatMap((stroke) => stroke[1]);
  const least = (axis) => axis.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (axis) => axis.reduce((a, b) => Math.max(a, b), -Infinity);
  const [left, top] = [least(xs), least(ys)];
  return { left, top, width: most(xs) - left, height: most(ys) - top };
}

/** Draws strokes into a box of a canvas's context, as large as they fit. */
export function drawInto(context, strokes, box, colour, width) {
  if (!strokes.length) return;
  const bounds = boundsOf(strokes);
  const scale = Math.min(
    box.width / Math.max(bounds.width, 1),
    box.height / Math.max(bounds.height, 1),
    Math.max(box.width, box.height) / 60, // a dot stays small
  );
  context.save();
  context.translate(
    box.left + (box.width - bounds.width * scale) / 2 - bounds.left * scale,
    box.top + (box.height - bounds.height * scale) / 2 - bounds.top * scale,
  );
  context.scale(scale, scale);
  prepare(context, colour, width / scale);
  for (const stroke of strokes) trace(context, stroke);
  context.restore();
}

/** Sets the pen. */
export function prepare(context, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
}

/** Draws a stroke, or what of it comes from a point on, round at its corners. */
export function trace(context, [xs, ys], from = 0) {
  const middle = (i) => [(xs[i - 1] + xs[i]) / 2, (ys[i - 1] + ys[i]) / 2];
  const last = xs.length - 1;
  context.beginPath();
  if (from < 2) context.moveTo(xs[0], ys[0]);
  else context.moveTo(...middle(from - 1));
  for (let i = Math.max(from, 1); i <= last; i++) {
    context.quadraticCurveTo(xs[i - 1], ys[i - 1], ...middle(i));
  }
  context.lineTo(xs[last], ys[last]);
  context.stroke();
}
