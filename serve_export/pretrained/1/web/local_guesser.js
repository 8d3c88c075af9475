// Classifies drawings in the browser. Once loaded, it needs no server.
//
//     const guesser = await createLocalGuesser("/web/");
//     await guesser.guess([[[10.5, 90, 90], [20, 20, 80]]], 3);
//
// `/web/` is the web folder of an export, which contains a copy of this file. The model
// runs in a worker, so that drawing is never blocked.

/**
 * Loads the model and its runtime into memory.
 *
 * @param {string | URL} baseUrl the web folder of an export; by default the folder of
 *   this file.
 * @returns {Promise<{words: string[], guess: function, close: function}>}
 *   `words` in the order of the model's output;
 *   `guess(drawing, topK = 3)` takes raw strokes `[[xs, ys, …], …]` of any canvas, as
 *   `POST /v1/predict` does, and resolves to `[{word, probability}, …]`, most probable
 *   first;
 *   `close()` frees the memory and rejects pending guesses.
 * @throws {Error} there is no such folder, or this browser cannot run the model.
 */
export async function createLocalGuesser(baseUrl = new URL(".", import.meta.url)) {
  const worker = new Worker(new URL("worker.js", import.meta.url));
  const pending = new Map();
  let lastId = 0;
  let closeReason = null;

  function call(message) {
    return new Promise((resolve, reject) => {
      if (closeReason) throw closeReason;
      pending.set(++lastId, { resolve, reject });
      worker.postMessage({ ...message, id: lastId });
    });
  }

  function close(reason = "the guesser is closed") {
    worker.terminate();
    closeReason ??= new Error(reason);
    for (const { reject } of pending.values()) reject(closeReason);
    pending.clear();
  }

  worker.onmessage = ({ data: { id, result, error } }) => {
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    close(`the worker failed: ${event.message || "it could not be loaded"}`);
  };

  try {
    const base = new URL(baseUrl, document.baseURI);
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    const words = await call({ load: base.href });
    const guess = (drawing, topK = 3) => call({ drawing, topK });
    return { words, guess, close: () => close() };
  } catch (error) {
    close();
    throw error;
  }
}
