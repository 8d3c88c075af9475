// Drawings as files: ndjson as Quick, Draw! has it raw, and PNG.

import { drawInto } from "./ink.js";

const SIDE = 1024;
const INK = "#2a2140";
const PAPER = "#ffffff";

/** @typedef {{word: string, drawing: number[][][], recognized: boolean}} Work */

/**
 * A line for each work
 * (https://github.com/googlecreativelab/quickdraw-dataset#the-raw-moderated-dataset).
 * @param {Work[]} works
 */
export function toNdjson(works, now = new Date()) {
  const timestamp = now.toISOString().replace("T", " ").replace("Z", "000 UTC");
  return works
    .map(({ word, drawing, recognized }) => {
      const fields = { word, countrycode: "", timestamp, recognized, key_id: newKey(), drawing };
      return `${JSON.stringify(fields)}\n`;
    })
    .join("");
}

/** Sixteen digits of chance, as a key_id has. */
function newKey() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return `${1e7 + (high % 9e7)}${String(low % 1e8).padStart(8, "0")}`;
}

/** A square picture of one drawing, or a sheet of many with their words. */
export function toPng(works) {
  const columns = works.length === 1 ? 1 : Math.ceil(Math.sqrt(works.length * 1.5));
  const rows = Math.ceil(works.length / columns);
  const side = works.length === 1 ? SIDE : SIDE / 2;
  const canvas = document.createElement("canvas");
  canvas.width = columns * side;
  canvas.height = rows * side;
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  works.forEach((work, i) => {
    const place = { left: (i % columns) * side, top: Math.floor(i / columns) * side };
    drawWork(context, work, place, side, works.length > 1);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function drawWork(context, { word, drawing }, { left, top }, side, withWord) {
  const margin = side * 0.1;
  const room = side - 2 * margin;
  const box = { left: left + margin, top: top + margin, width: room, height: room };
  drawInto(context, drawing, box, INK, side / 90);
  if (!withWord) return;
  context.fillStyle = INK;
  context.font = `600 ${side / 18}px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "center";
  context.fillText(word, left + side / 2, top + side - margin * 0.3, room);
}

/** Lets the browser save a file. */
export function save(content, name, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
