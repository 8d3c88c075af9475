// The settings: language, guessing on the device, donated drawings, about the model.

import { LANGUAGES, changeLanguage, language, text } from "../languages/language.js";
import { explainFailure } from "../server/donations.js";

const byId = (id) => document.getElementById(id);

export class SettingsDialog {
  #guessSource;
  #donations;
  #onGuesserChange;

  /**
   * @param {object} options
   * @param {import("../guesses/guess_source.js").GuessSource} options.guessSource
   * @param {import("../server/donations.js").Donations} options.donations
   * @param options.onGuesserChange is called when guesses come from elsewhere
   */
  constructor({ guessSource, donations, onGuesserChange }) {
    this.#guessSource = guessSource;
    this.#donations = donations;
    this.#onGuesserChange = onGuesserChange;
    byId("open-settings").addEventListener("click", () => {
      this.#showDonations();
      byId("settings").showModal();
    });
    donations.addEventListener("change", () => this.#showDonations());
    byId("guess-on-device").addEventListener("change", () => this.#switchGuesser());
    byId("delete-drawings").addEventListener("click", () => this.#deleteDrawings());
    this.#setUpLanguages();
  }

  /** Shows what the server says about itself. */
  showAbout({ words, attribution }) {
    byId("about-model").textContent = text("about_model", { count: words });
    byId("about-examples").textContent = text("about_examples", { attribution });
    const { hasWebModel, prefersDevice } = this.#guessSource;
    byId("guess-on-device-label").hidden = !hasWebModel;
    byId("guess-on-device").checked = hasWebModel && prefersDevice;
    if (hasWebModel && prefersDevice) this.#switchGuesser();
  }

  #setUpLanguages() {
    const options = Object.entries(LANGUAGES).map(([code, name]) => {
      const option = new Option(name, code, false, code === language.code);
      option.lang = code;
      return option;
    });
    byId("language").replaceChildren(...options);
    byId("language").addEventListener("change", (event) => {
      changeLanguage(event.target.value);
    });
  }

  async #switchGuesser() {
    const checkbox = byId("guess-on-device");
    const status = byId("guess-on-device-status");
    this.#guessSource.prefersDevice = checkbox.checked;
    status.textContent = text(checkbox.checked ? "device_loading" : "server_guesses");
    if (checkbox.checked) {
      checkbox.disabled = true;
      try {
        await this.#guessSource.loadOnDevice();
        status.textContent = text("device_guesses");
      } catch {
        checkbox.checked = this.#guessSource.prefersDevice = false;
        status.textContent = text("device_failed");
      }
      checkbox.disabled = false;
      if (byId("settings").open) checkbox.focus();
    }
    this.#onGuesserChange();
  }

  async #deleteDrawings() {
    byId("delete-drawings").disabled = true;
    try {
      await this.#donations.deleteAll();
    } catch (error) {
      byId("donations-status").textContent = explainFailure(error);
    } finally {
      byId("delete-drawings").disabled = false;
    }
  }

  #showDonations() {
    const count = this.#donations.receipts.length;
    if (count === 0 && byId("donations").hidden) return;
    byId("donations").hidden = false;
    byId("delete-drawings").hidden = count === 0;
    byId("donations-status").textContent = count
      ? text("donations_stored", { count })
      : text("donations_none");
  }
}
