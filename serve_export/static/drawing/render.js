// Renders strokes on a canvas.

/** Sets the pen of a canvas context. */
export function setPen(context, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
}

/** Renders a stroke as a smooth curve, from its point `first` on. */
export function renderStroke(context, [xs, ys], first = 0) {
  const middle = (i) => [(xs[i - 1] + xs[i]) / 2, (ys[i - 1] + ys[i]) / 2];
  const last = xs.length - 1;
  context.beginPath();
  if (first < 2) context.moveTo(xs[0], ys[0]);
  else context.moveTo(...middle(first - 1));
  for (let i = Math.max(first, 1); i <= last; i++) {
    context.quadraticCurveTo(xs[i - 1], ys[i - 1], ...middle(i));
  }
  context.lineTo(xs[last], ys[last]);
  context.stroke();
}

/** Renders strokes in the middle of a box {left, top, width, height}, scaled to fit. */
export function renderDrawing(context, strokes, box, color, penWidth) {
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
  setPen(context, color, penWidth / scale);
  for (const stroke of strokes) renderStroke(context, stroke);
  context.restore();
}

/** Returns the bounding box of strokes: {left, top, width, height}. */
function boundsOf(strokes) {
  const min = (axis) => axis.reduce((a, b) => Math.min(a, b), Infinity);
  const max = (axis) => axis.reduce((a, b) => Math.max(a, b), -Infinity);
  const xs = strokes.flatMap((stroke) => stroke[0]);
  const ys = strokes.flatMap((stroke) => stroke[1]);
  const [left, top] = [min(xs), min(ys)];
  return { left, top, width: max(xs) - left, height: max(ys) - top };
}
