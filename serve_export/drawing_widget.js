// A canvas for drawing_widget.py: sends strokes to Python and shows the guesses.

const SIZE = 320; // pixels
const INTERVAL = 200; // milliseconds between two updates while the user draws

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  canvas.style =
    "border: 1px solid #999; border-radius: 8px; background: #fff; " +
    "touch-action: none; cursor: crosshair; display: block";
  canvas.setAttribute("aria-label", "Drawing area");
  const button = document.createElement("button");
  button.textContent = "Clear";
  button.style = "margin: 8px 0";
  const output = document.createElement("div");
  output.setAttribute("aria-live", "polite");
  output.style = "min-height: 5em; font: 16px/1.5 system-ui, sans-serif";
  el.append(canvas, button, output);

  const context = canvas.getContext("2d");
  Object.assign(context, { lineWidth: 5, lineCap: "round", lineJoin: "round" });
  let strokes = [];
  let lastUpdate = 0;

  function update() {
    lastUpdate = Date.now();
    model.set("strokes", structuredClone(strokes));
    model.save_changes();
  }

  function addPoint(event) {
    const box = canvas.getBoundingClientRect();
    const scale = SIZE / box.width;
    const [xs, ys] = strokes.at(-1);
    const x = (event.clientX - box.left) * scale;
    const y = (event.clientY - box.top) * scale;
    context.beginPath();
    context.moveTo(xs.at(-1) ?? x, ys.at(-1) ?? y);
    context.lineTo(x, y);
    context.stroke();
    xs.push(x);
    ys.push(y);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([[], []]);
    addPoint(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    addPoint(event);
    if (Date.now() - lastUpdate > INTERVAL) update();
  });
  canvas.addEventListener("pointerup", update);
  canvas.addEventListener("pointercancel", update);
  button.addEventListener("click", () => {
    strokes = [];
    context.clearRect(0, 0, SIZE, SIZE);
    update();
  });

  function showGuesses() {
    const guesses = model.get("guesses").map(([word, probability]) => {
      const line = document.createElement("div");
      line.textContent = `${word} ${Math.round(100 * probability)} %`;
      return line;
    });
    output.replaceChildren(...guesses, model.get("message"));
  }

  model.on("change:guesses", showGuesses);
  model.on("change:message", showGuesses);
  showGuesses();
}

export default { render };
