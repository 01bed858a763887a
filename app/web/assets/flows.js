// The inbox by keyboard: j and k move through the list, Enter opens, x ticks, / searches, ? tells of the keys.
class InboxList extends HTMLElement {
  connectedCallback() {
    this.onKey = (event) => this.press(event);
    document.addEventListener("keydown", this.onKey);
    this.querySelector("[aria-current].list-item")?.scrollIntoView({ block: "nearest" });
    const all = this.querySelector("[data-tick-all]");
    if (all) all.hidden = false;
    all?.addEventListener("change", (event) => this.ticks().forEach((one) => (one.checked = event.target.checked)));
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  press(event) {
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog[open], [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
    const moves = { j: 1, k: -1 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "/") this.querySelector("input[type=search]")?.focus();
    else if (event.key === "?") document.getElementById("keys")?.showModal();
    else if (event.key === "x") document.activeElement?.closest("li.tickable")?.querySelector("[name=task]")?.click();
    else return;
    event.preventDefault();
  }

  ticks() {
    return [...this.querySelectorAll("[name=task]")];
  }

  move(by) {
    const items = [...this.querySelectorAll(".list-item")];
    const here = items.findIndex((item) => item === document.activeElement);
    const start = here >= 0 ? here + by : Math.max(0, items.findIndex((item) => item.ariaCurrent) + (this.moved ? by : 0));
    this.moved = true;
    items[Math.min(items.length - 1, Math.max(0, start))]?.focus();
  }
}

customElements.define("inbox-list", InboxList);
