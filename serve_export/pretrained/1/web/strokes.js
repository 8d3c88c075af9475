// Converts raw strokes to ink, as pipeline/simplification.py and strokes.py do.
//
//     raw strokes   any canvas              [[xs, ys, …], …]
//       │ simplify
//     drawing       integers in 0..255      [[xs, ys], …]
//       │ toInk
//     ink           Float32Array, T × 3     rows (dx, dy, pen), in boxes
//
// The results are equal bit for bit, as both compute with IEEE doubles in the same order;
// a test compares them. The Python modules cite the source of each step.

/** Side of the box of a simplified drawing, in pixels. */
export const BOX = 255;

/** Tolerance of Ramer-Douglas-Peucker, in pixels of the box. */
export const EPSILON = 2;

/**
 * Simplifies raw strokes as the published simplified drawings were.
 *
 * @param {number[][][]} drawing strokes `[[xs, ys, …], …]`; further axes such as times
 *   are ignored.
 * @returns {number[][][]} strokes `[[xs, ys], …]` of integers within 0..255.
 * @throws {RangeError} the drawing is not valid; the message says why.
 */
export function simplify(drawing) {
  checkStrokes(drawing);
  return fillBox(drawing).map(([xs, ys]) => simplifyStroke(xs, ys));
}

/**
 * Converts a simplified drawing `[[xs, ys], …]` to ink.
 *
 * @returns {Float32Array} rows (dx, dy, pen), one per point, the first relative to
 *   (0, 0); pen is 1 at the last point of each stroke.
 */
export function toInk(drawing) {
  const ink = [];
  let lastX = 0;
  let lastY = 0;
  for (const [xs, ys] of drawing) {
    for (let i = 0; i < xs.length; i++) {
      const pen = i === xs.length - 1 ? 1 : 0;
      ink.push((xs[i] - lastX) / BOX, (ys[i] - lastY) / BOX, pen);
      [lastX, lastY] = [xs[i], ys[i]];
    }
  }
  return Float32Array.from(ink);
}

function checkStrokes(drawing) {
  if (!Array.isArray(drawing) || !drawing.length) throw new RangeError("no strokes");
  drawing.forEach((stroke, index) => {
    const number = index + 1;
    if (!Array.isArray(stroke?.[0]) || !Array.isArray(stroke[1])) {
      throw new RangeError(`stroke without x and y: stroke ${number}`);
    }
    const [xs, ys] = stroke;
    if (xs.length !== ys.length) {
      throw new RangeError(
        `unequal x and y: stroke ${number} has ${xs.length} x but ${ys.length} y`,
      );
    }
    if (!xs.length) throw new RangeError(`stroke without points: stroke ${number}`);
    if (!xs.every(Number.isFinite) || !ys.every(Number.isFinite)) {
      throw new RangeError(`coordinate is not finite: stroke ${number}`);
    }
  });
}

/** Moves strokes to minimum 0 and scales them uniformly to maximum 255. */
function fillBox(strokes) {
  const [lowX, highX] = range(strokes.map((stroke) => stroke[0]));
  const [lowY, highY] = range(strokes.map((stroke) => stroke[1]));
  let extent = Math.max(highX - lowX, highY - lowY);
  if (!Number.isFinite(extent * BOX)) throw new RangeError("coordinates too far apart");
  if (extent === 0) extent = BOX;
  return strokes.map(([xs, ys]) => [
    xs.map((x) => ((x - lowX) * BOX) / extent),
    ys.map((y) => ((y - lowY) * BOX) / extent),
  ]);
}

function range(axes) {
  let low = Infinity;
  let high = -Infinity;
  for (const axis of axes) {
    for (const value of axis) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

/** Simplifies one stroke, given in pixels of the box. */
function simplifyStroke(xs, ys) {
  const [denseX, denseY] = resample(xs, ys);
  const kept = ramerDouglasPeucker(denseX, denseY);
  return [kept.map((i) => rint(denseX[i])), kept.map((i) => rint(denseY[i]))];
}

/** Resamples a stroke to points 1 px apart along its length, plus the last point. */
function resample(xs, ys) {
  const denseX = [];
  const denseY = [];
  let start = 0; // arc length at point i
  for (let i = 0; i + 1 < xs.length; i++) {
    const length = lengthOf(xs[i + 1] - xs[i], ys[i + 1] - ys[i]);
    const end = start + length;
    for (let position = denseX.length; position < end; position++) {
      const part = (position - start) / length;
      denseX.push(xs[i] * (1 - part) + xs[i + 1] * part);
      denseY.push(ys[i] * (1 - part) + ys[i + 1] * part);
    }
    start = end;
  }
  denseX.push(xs[xs.length - 1]);
  denseY.push(ys[ys.length - 1]);
  return [denseX, denseY];
}

/**
 * Returns the indices of the points that Ramer-Douglas-Peucker keeps, in order.
 *
 * A point is kept if it is the farthest, by more than EPSILON, from the infinite line
 * through the ends of its section (from the end point if both ends coincide).
 */
function ramerDouglasPeucker(xs, ys) {
  if (xs.length === 1) return [0, 0];
  const kept = new Set([0, xs.length - 1]);
  const sections = [[0, xs.length - 1]];
  while (sections.length) {
    const [first, last] = sections.pop();
    const [middle, distance] = findFarthest(xs, ys, first, last);
    if (distance > EPSILON) {
      kept.add(middle);
      sections.push([first, middle], [middle, last]);
    }
  }
  return [...kept].sort((a, b) => a - b);
}

/** Returns the index and distance of the point farthest from the line of two points. */
function findFarthest(xs, ys, first, last) {
  const chordX = xs[last] - xs[first];
  const chordY = ys[last] - ys[first];
  const length = lengthOf(chordX, chordY);
  let middle = first;
  let maxDistance = -1;
  for (let i = first + 1; i < last; i++) {
    const x = xs[i] - xs[first];
    const y = ys[i] - ys[first];
    const distance =
      length > 0 ? Math.abs(x * chordY - y * chordX) / length : lengthOf(x, y);
    if (distance > maxDistance) [middle, maxDistance] = [i, distance];
  }
  return [middle, maxDistance];
}

/** Unlike `Math.hypot`, rounds as the Python code does. */
function lengthOf(x, y) {
  return Math.sqrt(x * x + y * y);
}

/** Rounds to the nearest integer, halves to even, as `numpy.rint` does. */
function rint(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
