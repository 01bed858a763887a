// What every page shares: htmx, dialogs, the focus on errors, the theme. Widgets of one page are beside this file.
import "htmx.org";
import "./flows.js";
import "./seal_placement.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// errors take the focus, so that a screen reader says them and a keyboard starts there
const focusErrors = (root) => root.querySelector?.("[data-focus]")?.focus();
document.addEventListener("DOMContentLoaded", () => focusErrors(document));
document.addEventListener("htmx:after:swap", (event) => focusErrors(event.target));

// a form with data-draft keeps what was typed in this browser until it is sent, whatever happens to the page
for (const form of document.querySelectorAll("form[data-draft]")) {
  const key = `draft:${form.dataset.draft}`;
  const texts = () => [...form.elements].filter((e) => e.name && !["file", "hidden", "password", "submit"].includes(e.type));
  const kept = JSON.parse(localStorage.getItem(key) ?? "null");
  if (kept && !document.querySelector(".errors")) {
    for (const element of texts()) {
      if (!(element.name in kept)) continue;
      if (element.type === "radio") element.checked = element.value === kept[element.name];
      else element.value = kept[element.name];
    }
  }
  form.addEventListener("input", () => localStorage.setItem(key, JSON.stringify(Object.fromEntries(texts().filter((e) => e.type !== "radio" || e.checked).map((e) => [e.name, e.value])))));
  form.addEventListener("submit", () => localStorage.removeItem(key));
}
