// Raw strokes → ink, in the browser: what pipeline/strokes.py does, and nothing else.
//
//     raw strokes   any canvas              [[xs, ys, …], …]
//       │ simplify
//     drawing       integers in 0..255      [[xs, ys], …]
//       │ toInk
//     ink           Float32Array, T × 3     rows (dx, dy, pen), in boxes
//
// The same numbers bit for bit: both compute in IEEE doubles, in the same order. That
// file says where the steps are from and why their order matters; a test holds the two
// together.

/** Side of the box, in pixels. */
export const BOX = 255;

/** How far Ramer-Douglas-Peucker may leave the curve, in pixels of the box. */
export const EPSILON = 2;

/**
 * Simplifies raw strokes the way Google made its simplified drawings.
 *
 * @param {number[][][]} drawing strokes `[[xs, ys, …], …]`; what follows `ys` (the
 *   times) is not looked at.
 * @returns {number[][][]} strokes `[[xs, ys], …]` of integers within 0..255.
 * @throws {RangeError} it is no drawing; the message says why.
 */
export function simplify(drawing) {
  checkStrokes(drawing);
  return fillBox(drawing).map(([xs, ys]) => simplifyStroke(xs, ys));
}

/**
 * Takes differences: `[[xs, ys], …]` of a simplified drawing to ink.
 *
 * @returns {Float32Array} rows (dx, dy, pen), one a point, the first from (0, 0); the
 *   pen is 1 on the last point of each stroke.
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

/** Simplifies one stroke that is in the box already. */
function simplifyStroke(xs, ys) {
  const [denseX, denseY] = resample(xs, ys);
  const kept = corners(denseX, denseY);
  return [kept.map((i) => rint(denseX[i])), kept.map((i) => rint(denseY[i]))];
}

/** Walks along a stroke in steps of 1 px; keeps the last point. */
function resample(xs, ys) {
  const denseX = [];
  const denseY = [];
  let walked = 0;
  for (let i = 0; i + 1 < xs.length; i++) {
    const length = lengthOf(xs[i + 1] - xs[i], ys[i + 1] - ys[i]);
    const end = walked + length;
    for (let stop = denseX.length; stop < end; stop++) {
      const part = (stop - walked) / length;
      denseX.push(xs[i] * (1 - part) + xs[i + 1] * part);
      denseY.push(ys[i] * (1 - part) + ys[i + 1] * part);
    }
    walked = end;
  }
  denseX.push(xs[xs.length - 1]);
  denseY.push(ys[ys.length - 1]);
  return [denseX, denseY];
}

/**
 * Ramer-Douglas-Peucker: which points to keep, in order.
 *
 * A point is kept when it is the farthest, by more than ε, from the infinite line
 * through the ends of its piece (from the point itself where the ends coincide).
 */
function corners(xs, ys) {
  if (xs.length === 1) return [0, 0];
  const kept = new Set([0, xs.length - 1]);
  const pieces = [[0, xs.length - 1]];
  while (pieces.length) {
    const [first, last] = pieces.pop();
    const [middle, distance] = farthest(xs, ys, first, last);
    if (distance > EPSILON) {
      kept.add(middle);
      pieces.push([first, middle], [middle, last]);
    }
  }
  return [...kept].sort((a, b) => a - b);
}

/** The point between two that is farthest from their line, and how far. */
function farthest(xs, ys, first, last) {
  const chordX = xs[last] - xs[first];
  const chordY = ys[last] - ys[first];
  const length = lengthOf(chordX, chordY);
  let middle = first;
  let most = -1;
  for (let i = first + 1; i < last; i++) {
    const x = xs[i] - xs[first];
    const y = ys[i] - ys[first];
    const distance =
      length > 0 ? Math.abs(x * chordY - y * chordX) / length : lengthOf(x, y);
    if (distance > most) [middle, most] = [i, distance];
  }
  return [middle, most];
}

/** `Math.hypot` rounds otherwise. */
function lengthOf(x, y) {
  return Math.sqrt(x * x + y * y);
}

/** Rounds to the nearest integer, a half to the even one, as numpy does. */
function rint(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}
