// Gets guesses from the server, or from the model on this device.

import { createLocalGuesser } from "../offline/local_guesser.js";
import { SITE_URL, ServerUnreachable, requestJson } from "../server/requests.js";
import { load, store } from "../settings/storage.js";

/** @typedef {{word: string, probability: number}} Guess */

export class GuessSource {
  #connection;
  #localGuesser = null;
  #loading = null;

  /** Whether the server offers a model for this device, and the browser can run it. */
  hasWebModel = false;

  /** @param {import("../server/connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** Whether the visitor prefers the device even if the server is reachable. */
  get prefersDevice() {
    return load("guess_on_device", false);
  }

  set prefersDevice(value) {
    store("guess_on_device", value);
  }

  /** Whether the device guesses at present. */
  get isOnDevice() {
    const isNeeded = this.prefersDevice || this.#connection.isLost;
    return this.#localGuesser !== null && isNeeded;
  }

  /** Whether guesses can be made at present. */
  get isAvailable() {
    return !this.#connection.isLost || this.isOnDevice;
  }

  /** Whether this browser can run the model (LiteRT.js needs workers and SIMD). */
  static isSupported() {
    // The smallest module with a SIMD instruction, from
    // https://github.com/GoogleChromeLabs/wasm-feature-detect (simd).
    const simd = Uint8Array.of(
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1],
      ...[8, 0, 65, 0, 253, 15, 253, 98, 11],
    );
    return (
      typeof WebAssembly === "object" &&
      typeof Worker === "function" &&
      typeof DecompressionStream === "function" &&
      WebAssembly.validate(simd)
    );
  }

  /**
   * Loads the model into this device.
   * @throws {Error} the server has no such model, or the browser cannot run it
   */
  async loadOnDevice() {
    this.#loading ??= createLocalGuesser(new URL("web/", SITE_URL));
    try {
      this.#localGuesser = await this.#loading;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }

  /**
   * Guesses what strokes `[[xs, ys], …]` show.
   * @returns {Promise<Guess[]>} most likely first
   * @throws {ServerUnreachable|ServerBusy|RequestRejected}
   */
  async guess(drawing, topK) {
    if (this.isOnDevice) return this.#localGuesser.guess(drawing, topK);
    if (this.#connection.isLost) throw new ServerUnreachable("still polling");
    const body = { drawing, top_k: topK };
    try {
      const send = () => requestJson("v1/predict", { body });
      return (await this.#connection.run(send)).guesses;
    } catch (error) {
      if (!this.isOnDevice) throw error;
      return this.#localGuesser.guess(drawing, topK);
    }
  }
}
