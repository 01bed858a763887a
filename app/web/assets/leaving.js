// A form that keeps itself does so after a pause in typing. Whoever leaves the page before that pause loses nothing:
// what was typed in the last moment is sent on the way out. Sending the form itself needs no such thing.
const PAUSE_MS = 3000;
const typed = new Map(); // a form that keeps itself -> when it was last typed in

const keeperOf = (form) => form?.id && document.querySelector(`[hx-post][hx-trigger*="input from:#${form.id}"]`);

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (keeperOf(form)) typed.set(form, Date.now());
});
document.addEventListener("submit", (event) => typed.delete(event.target));
addEventListener("pagehide", () => {
  for (const [form, at] of typed) {
    if (Date.now() - at > PAUSE_MS || !form.isConnected) continue;
    const said = new FormData(form);
    for (const [name, value] of [...said]) if (value instanceof File) said.delete(name); // kept when it was chosen
    navigator.sendBeacon(keeperOf(form).getAttribute("hx-post"), said);
  }
  typed.clear();
});
