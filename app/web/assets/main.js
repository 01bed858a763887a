// What every page shares: htmx, dialogs, the focus on errors, the theme. Widgets of one page are beside this file.
import "htmx.org";
import "./flows.js";
import "./seal_placement.js";
import "./signature_pad.js";
import "./table_keys.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// errors take the focus, so that a screen reader says them and a keyboard starts there
const focusErrors = (root) => root.querySelector?.("[data-focus]")?.focus();
document.addEventListener("DOMContentLoaded", () => focusErrors(document));
document.addEventListener("htmx:after:swap", (event) => focusErrors(event.target));
