// The inbox by keyboard: j and k move through the list, Enter opens, / searches.
class InboxList extends HTMLElement {
  connectedCallback() {
    this.onKey = (event) => this.press(event);
    document.addEventListener("keydown", this.onKey);
    this.querySelector("[aria-current].list-item")?.scrollIntoView({ block: "nearest" });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  press(event) {
    const typing = event.target.closest("input, textarea, select, dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { j: 1, k: -1 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "/") this.querySelector("input[type=search]")?.focus();
    else return;
    event.preventDefault();
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
