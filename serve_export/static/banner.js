// Tells that the server is away, and that it is back.

const STAYS = 2600;
/** Milliseconds that good news stay. */

const byId = (id) => document.getElementById(id);

/** Shows a banner over the page as long as the server is out of reach. */
export function setUpBanner(brain) {
  let timer = null;
  const show = (text, good) => {
    clearTimeout(timer);
    byId("banner").hidden = false;
    byId("banner").classList.toggle("good", good);
    byId("banner-text").textContent = text;
    byId("try-now").hidden = good;
  };
  brain.addEventListener("away", () => {
    show(
      brain.local
        ? "The server is out of reach, so I guess on this device."
        : "The server is out of reach. Draw on: I keep looking for it.",
      false,
    );
  });
  brain.addEventListener("back", () => {
    show("There it is again!", true);
    timer = setTimeout(() => {
      byId("banner").hidden = true;
    }, STAYS);
  });
  byId("try-now").addEventListener("click", () => brain.lookNow());
}
