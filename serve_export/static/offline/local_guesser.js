// Guesses in the page itself: once it is made, no server is asked any more.
//
//     const guesser = await createLocalGuesser("/web/");
//     await guesser.guess([[[10.5, 90, 90], [20, 20, 80]]], 3);
//
// `/web/` is the web folder of an export; this file lies there too. The work is done by
// a worker, so the pen is never blocked.

/**
 * Loads all that guessing needs into memory.
 *
 * @param {string | URL} baseUrl the web folder of an export; where this file is, if
 *   not given.
 * @returns {Promise<{words: string[], guess: function, close: function}>}
 *   `words` in the order of the model;
 *   `guess(drawing, topK = 3)` takes raw strokes `[[xs, ys, …], …]` of any canvas, as
 *   `POST /v1/predict` does, and promises `[{word, probability}, …]`, likeliest first;
 *   `close()` frees the memory; what is under way is then rejected.
 * @throws {Error} there is no such folder, or this browser cannot run it.
 */
export async function createLocalGuesser(baseUrl = new URL(".", import.meta.url)) {
  const worker = new Worker(new URL("worker.js", import.meta.url));
  const asked = new Map();
  let count = 0;
  let over = null;

  function ask(question) {
    return new Promise((resolve, reject) => {
      if (over) throw over;
      asked.set(++count, { resolve, reject });
      worker.postMessage({ ...question, id: count });
    });
  }

  function close(reason = "the guesser is closed") {
    worker.terminate();
    over ??= new Error(reason);
    for (const { reject } of asked.values()) reject(over);
    asked.clear();
  }

  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = asked.get(id);
    asked.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    close(`the worker failed: ${event.message || "it could not be loaded"}`);
  };

  try {
    const base = new URL(baseUrl, document.baseURI);
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    const words = await ask({ load: base.href });
    const guess = (drawing, topK = 3) => ask({ drawing, topK });
    return { words, guess, close: () => close() };
  } catch (error) {
    close();
    throw error;
  }
}
