// Counts that renew themselves: each half minute, while the page can be seen and nobody stands in them with the keyboard.
const EVERY = 30_000;

function renew() {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("[data-renews]")) {
    if (!part.contains(document.activeElement)) part.dispatchEvent(new Event("renew"));
  }
}

setInterval(renew, EVERY);
document.addEventListener("visibilitychange", renew);
