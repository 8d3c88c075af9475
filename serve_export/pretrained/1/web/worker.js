// The worker of a local guesser: loads LiteRT.js and the model, then classifies drawings.
//
// A classic worker, not a module worker, as LiteRT.js calls `importScripts`.

/** Version of the manifests that this file can read. */
const FORMAT_VERSION = 1;

/** What `load` returns. */
let model;

self.onmessage = async ({ data: { id, load: baseUrl, drawing, topK } }) => {
  try {
    if (baseUrl) model = await load(baseUrl);
    const result = baseUrl ? model.words : await model.classify(drawing, topK);
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: error?.message ?? String(error) });
  }
};

/** Loads everything and classifies one drawing, as the first run takes longest. */
async function load(baseUrl) {
  const text = new TextDecoder().decode(await fetchBytes(baseUrl, "manifest.json"));
  const manifest = JSON.parse(text);
  if (manifest.format_version !== FORMAT_VERSION) {
    throw new Error(
      `${baseUrl}manifest.json: format_version must be ${FORMAT_VERSION}. ` +
        `Received: ${manifest.format_version}`,
    );
  }
  const [strokes, core, modelBytes] = await Promise.all([
    import("./strokes.js"),
    loadRuntime(baseUrl, manifest.runtime),
    fetchBytes(baseUrl, manifest.model),
  ]);
  const compiled = await core.loadAndCompile(modelBytes, { accelerator: "wasm" });

  /** Returns the probability of each word, for ink `Float32Array` of T × 3 values. */
  async function run(ink) {
    const padded = new Float32Array(manifest.points * 3);
    padded.set(ink.subarray(0, padded.length));
    const points = Math.min(ink.length / 3, manifest.points);
    const inputs = {
      ink: new core.Tensor(padded, [1, manifest.points, 3]),
      length: new core.Tensor(Int32Array.of(points), [1]),
    };
    const [probabilities] = Object.values(await compiled.run(inputs));
    const values = probabilities.toTypedArray().slice();
    for (const tensor of [inputs.ink, inputs.length, probabilities]) tensor.delete();
    return values;
  }

  async function classify(drawing, topK) {
    const values = await run(strokes.toInk(strokes.simplify(drawing)));
    const indices = [...values.keys()].sort((a, b) => values[b] - values[a]);
    return indices
      .slice(0, topK)
      .map((i) => ({ word: manifest.words[i], probability: values[i] }));
  }

  await classify(
    [
      [
        [0, 1],
        [0, 1],
      ],
    ],
    1,
  );
  return { words: manifest.words, classify };
}

/** Starts LiteRT.js with one thread, which needs no special response headers. */
async function loadRuntime(baseUrl, { module, script, wasm }) {
  // Without this, LiteRT.js initializes WebGPU, which the wasm accelerator does not use.
  Object.defineProperty(self.navigator, "gpu", { value: undefined });
  const wasmBinary = await fetchBytes(baseUrl, wasm);
  self.Module = { wasmBinary, printErr: logError };
  const core = await import(new URL(module, baseUrl));
  const { warn } = console;
  console.warn = () => {}; // it would warn of the missing WebGPU
  try {
    await core.loadLiteRt(new URL(script, baseUrl).href);
  } finally {
    console.warn = warn;
  }
  return core;
}

/** Logs what LiteRT prints, except information. */
function logError(line) {
  if (!/^(INFO|WARNING|VERBOSE)/.test(line)) console.error(line);
}

/** Returns the decompressed bytes of a file; only some hosts decompress `.gz` files. */
async function fetchBytes(baseUrl, name) {
  const response = await fetch(new URL(name, baseUrl));
  if (!response.ok)
    throw new Error(`${name}: ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const decompressed = new Blob([bytes])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(decompressed).arrayBuffer());
}
