// The thread of a local guesser: loads LiteRT.js and the model, then answers drawings.
//
// A worker of the old kind, not a module, since LiteRT.js loads its script by
// `importScripts`.

/** Of a manifest that this file understands. */
const FORMAT_VERSION = 1;

/** What `load` made: `answer(drawing, topK)`. */
let guesser;

self.onmessage = async ({ data: { id, load: baseUrl, drawing, topK } }) => {
  try {
    if (baseUrl) guesser = await load(baseUrl);
    const answer = baseUrl ? guesser.words : await guesser.answer(drawing, topK);
    self.postMessage({ id, answer });
  } catch (error) {
    self.postMessage({ id, error: error?.message ?? String(error) });
  }
};

/** Loads everything, and answers once: the first time takes longest. */
async function load(baseUrl) {
  const text = new TextDecoder().decode(await fetchBytes(baseUrl, "manifest.json"));
  const manifest = JSON.parse(text);
  if (manifest.format_version !== FORMAT_VERSION) {
    throw new Error(`${baseUrl} is of another version of this project`);
  }
  const [strokes, core, model] = await Promise.all([
    import("./strokes.js"),
    loadRuntime(baseUrl, manifest.runtime),
    fetchBytes(baseUrl, manifest.model),
  ]);
  const compiled = await core.loadAndCompile(model, { accelerator: "wasm" });

  /** Ink `Float32Array`, T × 3, to the probability of each word. */
  async function run(ink) {
    const padded = new Float32Array(manifest.points * 3);
    padded.set(ink.subarray(0, padded.length));
    const points = Math.min(ink.length / 3, manifest.points);
    const given = {
      ink: new core.Tensor(padded, [1, manifest.points, 3]),
      length: new core.Tensor(Int32Array.of(points), [1]),
    };
    const [probabilities] = Object.values(await compiled.run(given));
    const values = probabilities.toTypedArray().slice();
    for (const tensor of [given.ink, given.length, probabilities]) tensor.delete();
    return values;
  }

  async function answer(drawing, topK) {
    const values = await run(strokes.toInk(strokes.simplify(drawing)));
    const places = [...values.keys()].sort((a, b) => values[b] - values[a]);
    return places
      .slice(0, topK)
      .map((i) => ({ word: manifest.words[i], probability: values[i] }));
  }

  await answer([[[0, 1], [0, 1]]], 1); // prettier-ignore
  return { words: manifest.words, answer };
}

/** Starts LiteRT.js on one thread, which needs no special headers of the server. */
async function loadRuntime(baseUrl, { module, script, wasm }) {
  // It would wake the graphics card, for nothing.
  Object.defineProperty(self.navigator, "gpu", { value: undefined });
  const wasmBinary = await fetchBytes(baseUrl, wasm);
  self.Module = { wasmBinary, printErr: tell };
  const core = await import(new URL(module, baseUrl));
  await core.loadLiteRt(new URL(script, baseUrl).href);
  return core;
}

/** What LiteRT says of itself, but for its chatter. */
function tell(line) {
  if (!/^(INFO|WARNING|VERBOSE)/.test(line)) console.error(line);
}

/** The bytes of a file, unpacked: hosts differ in whether they unpack a `.gz`. */
async function fetchBytes(baseUrl, name) {
  const response = await fetch(new URL(name, baseUrl));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}
