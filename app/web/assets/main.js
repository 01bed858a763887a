// What every page shares: htmx, dialogs, the focus on errors, the theme. Widgets of one page are beside this file.
import "htmx.org";
import "./flows.js";
import "./leaving.js";
import "./renewing.js";
import "./seal_placement.js";
import "./signature_pad.js";
import "./table_keys.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// errors take the focus, so that a screen reader says them and a keyboard starts there
const focusErrors = (root) => (root.querySelector?.("dialog[open] [data-focus]") ?? root.querySelector?.("[data-focus]"))?.focus();
document.addEventListener("DOMContentLoaded", () => {
  const refused = document.querySelector("dialog[data-refused]");
  if (refused) {
    refused.close();
    refused.showModal();
  }
  focusErrors(document);
});

// a second press at once sends nothing more
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000);
});
document.addEventListener("htmx:after:swap", (event) => focusErrors(event.target));
