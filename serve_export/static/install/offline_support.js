// Prepares the page to work without the server, by a service worker that caches it.

import { SITE_URL } from "../server/requests.js";
import { load, store } from "../settings/storage.js";

/**
 * Registers the service worker, and loads the model once so that it is cached.
 *
 * Browsers offer service workers on localhost and over HTTPS only.
 * @param {import("../guesses/guess_source.js").GuessSource} guessSource
 */
export async function installOfflineSupport(guessSource) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const script = new URL("service_worker.js", import.meta.url);
  await serviceWorker.register(script, { scope: SITE_URL.pathname });
  if (!guessSource.hasWebModel || navigator.connection?.saveData) return;
  if (!serviceWorker.controller) {
    await new Promise((resolve) => {
      serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    });
  }
  const manifest = await caches.match(new URL("web/manifest.json", SITE_URL));
  if (manifest && load("model_is_cached", false)) {
    serviceWorker.controller.postMessage("refresh model");
    return;
  }
  await guessSource.loadOnDevice();
  store("model_is_cached", true);
}
