// The paper: turns the input of a mouse, pen or finger into strokes and renders them.

import { renderStroke, setPen } from "./render.js";

/** Width of the pen, in pixels of the paper when its first stroke was drawn. */
const PEN_WIDTH = 5;

export class DrawingBoard extends EventTarget {
  #canvas;
  #context;
  #paper;
  #drawing;
  #isEnabled = true;
  #pointerId = null;
  #corner = { x: 0, y: 0 };
  #view = { scale: 1, x: 0, y: 0 };

  /**
   * Dispatches `extend` when the drawing has grown, `replace` when strokes were removed
   * or brought back, `lift` at the end of a stroke, and `pointer` with `detail` {x, y}
   * (in pixels of the window) when the pointer moves.
   * @param {HTMLCanvasElement} canvas
   * @param {import("./drawing.js").Drawing} drawing
   */
  constructor(canvas, drawing) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#paper = canvas.parentElement;
    this.#drawing = drawing;
    canvas.addEventListener("pointerdown", (event) => this.#startStroke(event));
    canvas.addEventListener("pointermove", (event) => this.#extendStroke(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(type, (event) => {
        if (event.pointerId === this.#pointerId) this.#endStroke();
      });
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => this.#fit()).observe(canvas);
    const darkMode = matchMedia("(prefers-color-scheme: dark)");
    darkMode.addEventListener("change", () => this.#render());
  }

  /** Whether the visitor can draw. Disabling ends the current stroke. */
  set enabled(enabled) {
    this.#isEnabled = enabled;
    if (!enabled) this.#endStroke();
  }

  /** Shows another drawing. */
  show(drawing) {
    this.#endStroke();
    this.#drawing = drawing;
    this.#update();
  }

  undo() {
    this.#endStroke();
    this.#drawing.undo();
    this.#update();
  }

  clear() {
    this.#endStroke();
    this.#drawing.clear();
    this.#update();
  }

  // Input.

  #startStroke(event) {
    if (!this.#isEnabled || this.#pointerId !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointerId = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    const box = this.#canvas.getBoundingClientRect();
    this.#corner = { x: box.left, y: box.top };
    if (this.#drawing.isEmpty) this.#fit();
    this.#drawing.startStroke(...this.#toPaper(event), event.timeStamp);
    this.#paper.classList.add("used");
    this.#renderNewPoints(0);
    this.#reportPointer(event);
  }

  #extendStroke(event) {
    this.#reportPointer(event);
    if (event.pointerId !== this.#pointerId) return;
    // Events arrive with the display's frames (60 Hz); a pen has up to 240 points/s.
    const coalesced = event.getCoalescedEvents?.() ?? [];
    const before = this.#drawing.strokes.at(-1)[0].length;
    for (const each of coalesced.length ? coalesced : [event]) {
      this.#drawing.extendStroke(...this.#toPaper(each), each.timeStamp);
    }
    const after = this.#drawing.strokes.at(-1)[0].length;
    if (after > before) this.#renderNewPoints(before);
  }

  #endStroke() {
    if (this.#pointerId === null) return;
    const pointerId = this.#pointerId;
    this.#pointerId = null;
    if (this.#canvas.hasPointerCapture(pointerId)) {
      this.#canvas.releasePointerCapture(pointerId);
    }
    this.dispatchEvent(new Event("lift"));
  }

  #toPaper(event) {
    const { scale, x, y } = this.#view;
    return [
      (event.clientX - this.#corner.x - x) / scale,
      (event.clientY - this.#corner.y - y) / scale,
    ];
  }

  #reportPointer({ clientX, clientY }) {
    const detail = { x: clientX, y: clientY };
    this.dispatchEvent(new CustomEvent("pointer", { detail }));
  }

  // Rendering.

  #renderNewPoints(first) {
    this.#applyView();
    renderStroke(this.#context, this.#drawing.strokes.at(-1), first);
    this.dispatchEvent(new Event("extend"));
  }

  #update() {
    this.#paper.classList.toggle("used", !this.#drawing.isEmpty);
    this.#fit();
    this.dispatchEvent(new Event("replace"));
  }

  /** Fits the drawing into the canvas; it keeps its shape when a phone is rotated. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width || !height) return;
    if (this.#drawing.isEmpty) this.#drawing.size = { width, height };
    const { size } = this.#drawing;
    const scale = Math.min(width / size.width, height / size.height);
    this.#view = {
      scale,
      x: (width - size.width * scale) / 2,
      y: (height - size.height * scale) / 2,
    };
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#render();
  }

  #applyView() {
    const ratio = window.devicePixelRatio || 1;
    const { scale, x, y } = this.#view;
    this.#context.setTransform(
      ratio * scale,
      0,
      0,
      ratio * scale,
      ratio * x,
      ratio * y,
    );
    setPen(this.#context, getComputedStyle(this.#canvas).color, PEN_WIDTH);
  }

  #render() {
    this.#context.resetTransform();
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#applyView();
    for (const stroke of this.#drawing.strokes) renderStroke(this.#context, stroke);
  }
}
