// Drawings that visitors donate: stored only with consent, deleted on request.

import { text } from "../languages/language.js";
import { load, store } from "../settings/storage.js";
import { RequestRejected, request, requestJson } from "./requests.js";

/** @typedef {{key_id: string, secret: string}} Receipt */

export class Donations extends EventTarget {
  #connection;

  /** Whether the server stores drawings; false until it has said so. */
  areAccepted = false;

  /**
   * Dispatches `change` when a drawing was donated or deleted.
   * @param {import("./connection.js").Connection} connection
   */
  constructor(connection) {
    super();
    this.#connection = connection;
  }

  /** @returns {Receipt[]} one for each drawing donated from this browser */
  get receipts() {
    return load("receipts", []);
  }

  /**
   * Donates a drawing whose author has consented.
   * @throws {ServerUnreachable|ServerBusy|RequestRejected} it was not stored
   */
  async donate(word, drawing) {
    const body = { word, drawing, consent: true };
    const { key_id, secret } = await this.#connection.run(() =>
      requestJson("v1/drawings", { body }),
    );
    this.#setReceipts([...this.receipts, { key_id, secret }]);
  }

  /**
   * Deletes all drawings that were donated from this browser.
   * @throws {ServerUnreachable|ServerBusy|RequestRejected} some remain, with receipts
   */
  async deleteAll() {
    for (const { key_id, secret } of this.receipts) {
      const options = { method: "DELETE", headers: { secret } };
      try {
        await this.#connection.run(() => request(`v1/drawings/${key_id}`, options));
      } catch (error) {
        const isGone = error instanceof RequestRejected && error.status === 404;
        if (!isGone) throw error;
      }
      this.#setReceipts(this.receipts.filter((receipt) => receipt.key_id !== key_id));
    }
  }

  #setReceipts(receipts) {
    store("receipts", receipts);
    this.dispatchEvent(new Event("change"));
  }
}

/** Explains a failed request to visitors. */
export function explainFailure(error) {
  if (error instanceof RequestRejected) {
    return text("request_rejected", { reason: error.message });
  }
  return text("try_again_later");
}
