// Drawings as files: raw ndjson in the format of Quick, Draw!, and PNG.

import { wordName } from "../languages/language.js";
import { renderDrawing } from "./render.js";

/** Side of a picture, in pixels. */
const SIDE = 1024;
const INK_COLOR = "#2a2140";
const PAPER_COLOR = "#ffffff";

/** @typedef {{word: string, drawing: number[][][], recognized: boolean}} NamedDrawing */

/**
 * Returns one line per drawing, in the format of
 * https://github.com/googlecreativelab/quickdraw-dataset#the-raw-moderated-dataset.
 * @param {NamedDrawing[]} drawings
 */
export function toNdjson(drawings) {
  const timestamp = new Date().toISOString().replace("T", " ").replace("Z", "000 UTC");
  return drawings
    .map(({ word, drawing, recognized }) => {
      const key_id = createKeyId();
      const record = { word, countrycode: "", timestamp, recognized, key_id, drawing };
      return `${JSON.stringify(record)}\n`;
    })
    .join("");
}

/** Returns 16 random digits, the form of a key_id. */
function createKeyId() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return `${1e7 + (high % 9e7)}${String(low % 1e8).padStart(8, "0")}`;
}

/**
 * Returns a square picture of one drawing, or a contact sheet of several with words.
 * @param {NamedDrawing[]} drawings
 * @returns {Promise<Blob>}
 */
export function toPng(drawings) {
  const isSheet = drawings.length > 1;
  const columns = isSheet ? Math.ceil(Math.sqrt(drawings.length * 1.5)) : 1;
  const rows = Math.ceil(drawings.length / columns);
  const side = isSheet ? SIDE / 2 : SIDE;
  const canvas = document.createElement("canvas");
  canvas.width = columns * side;
  canvas.height = rows * side;
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER_COLOR;
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawings.forEach(({ word, drawing }, i) => {
    const left = (i % columns) * side;
    const top = Math.floor(i / columns) * side;
    const margin = side * 0.1;
    const room = side - 2 * margin;
    const box = { left: left + margin, top: top + margin, width: room, height: room };
    renderDrawing(context, drawing, box, INK_COLOR, side / 90);
    if (!isSheet) return;
    context.fillStyle = INK_COLOR;
    context.font = `600 ${side / 18}px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.fillText(wordName(word), left + side / 2, top + side - margin * 0.3, room);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Lets the browser save a file. */
export function saveFile(content, name, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
