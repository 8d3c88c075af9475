// The paper: what a mouse, a pen or a finger does on it becomes ink.

import { prepare, trace } from "./ink.js";

const PEN = 5;
/** Pixels, of a paper as large as when its first stroke was drawn. */

export class DrawingBoard extends EventTarget {
  #canvas;
  #context;
  #paper;
  #ink;
  #enabled = true;
  #pointer = null;
  #corner = { x: 0, y: 0 };
  #view = { scale: 1, x: 0, y: 0 };

  /**
   * Dispatches `ink` when the drawing grew, `taken` when some or all of it was taken
   * away, `pen` with `detail` {x, y} on the screen when the pen moves, `lift`.
   */
  constructor(canvas, ink) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#paper = canvas.parentElement;
    this.#ink = ink;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#up(event));
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => this.#fit()).observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#redraw());
  }

  /** Whether the pen writes; what is being drawn ends when it no longer does. */
  set enabled(enabled) {
    this.#enabled = enabled;
    if (!enabled) this.#lift();
  }

  /** Puts another drawing on the paper, and draws on at that. */
  use(ink) {
    this.#lift();
    this.#ink = ink;
    this.#taken();
  }

  undo() {
    if (this.#ink.empty) return;
    this.#lift();
    this.#ink.undo();
    this.#taken();
  }

  clear() {
    this.#lift();
    this.#ink.clear();
    this.#taken();
  }

  // The pen.

  #down(event) {
    if (!this.#enabled || this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    const box = this.#canvas.getBoundingClientRect();
    this.#corner = { x: box.left, y: box.top };
    if (this.#ink.empty) this.#fit();
    this.#ink.begin(...this.#place(event), event.timeStamp);
    this.#paper.classList.add("used");
    this.#grown(0);
    this.#look(event);
  }

  #move(event) {
    this.#look(event);
    if (event.pointerId !== this.#pointer) return;
    // The screen shows some 60 points a second, a pen gives up to 240.
    const coalesced = event.getCoalescedEvents?.() ?? [];
    const before = this.#ink.strokes.at(-1)[0].length;
    for (const each of coalesced.length ? coalesced : [event]) {
      this.#ink.add(...this.#place(each), each.timeStamp);
    }
    if (this.#ink.strokes.at(-1)[0].length > before) this.#grown(before);
  }

  #up(event) {
    if (event.pointerId === this.#pointer) this.#lift();
  }

  #lift() {
    if (this.#pointer === null) return;
    const pointer = this.#pointer;
    this.#pointer = null;
    if (this.#canvas.hasPointerCapture(pointer)) {
      this.#canvas.releasePointerCapture(pointer);
    }
    this.dispatchEvent(new Event("lift"));
  }

  #place(event) {
    const { scale, x, y } = this.#view;
    return [
      (event.clientX - this.#corner.x - x) / scale,
      (event.clientY - this.#corner.y - y) / scale,
    ];
  }

  #look(event) {
    const detail = { x: event.clientX, y: event.clientY };
    this.dispatchEvent(new CustomEvent("pen", { detail }));
  }

  #grown(from) {
    this.#begin();
    trace(this.#context, this.#ink.strokes.at(-1), from);
    this.dispatchEvent(new Event("ink"));
  }

  #taken() {
    this.#paper.classList.toggle("used", !this.#ink.empty);
    this.#fit();
    this.dispatchEvent(new Event("taken"));
  }

  // The picture.

  /** Fits the canvas to its place; a drawing keeps its form when a phone is turned. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width || !height) return;
    if (this.#ink.empty) this.#ink.size = { width, height };
    const size = this.#ink.size;
    const scale = Math.min(width / size.width, height / size.height);
    this.#view = {
      scale,
      x: (width - size.width * scale) / 2,
      y: (height - size.height * scale) / 2,
    };
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#redraw();
  }

  #begin() {
    const ratio = window.devicePixelRatio || 1;
    const { scale, x, y } = this.#view;
    this.#context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    prepare(this.#context, getComputedStyle(this.#canvas).color, PEN);
  }

  #redraw() {
    this.#context.resetTransform();
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#begin();
    for (const stroke of this.#ink.strokes) trace(this.#context, stroke);
  }
}
