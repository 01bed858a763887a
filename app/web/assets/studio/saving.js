// The draft on the server: it is saved a moment after each change, when the page is left, and again when the line is back.
export class Draft {
  constructor(address, token, told) {
    Object.assign(this, { address, token, told, revision: 0, key: "", pending: false, busy: false, lost: 0 });
  }

  async ask(path, options = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.token, ...(options.body ? { "Content-Type": "application/json" } : {}) };
    return fetch(path.startsWith("/") ? path : `${this.address}/${path}`, { ...options, headers });
  }

  async get(path) {
    const answer = await this.ask(path);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async open() {
    const model = await this.get("model");
    this.revision = model.revision;
    this.key = model.key;
    return model;
  }

  /** `write` gives the diagram's text when it is time. */
  watch(write) {
    this.write = write;
    addEventListener("online", () => this.pending && this.save());
    addEventListener("offline", () => this.told("offline"));
    document.addEventListener("visibilitychange", () => document.hidden && this.pending && this.save());
    addEventListener("beforeunload", (event) => (this.pending || this.busy) && event.preventDefault());
  }

  changed() {
    this.pending = true;
    if (this.stopped) return;
    this.told(navigator.onLine ? "changed" : "offline");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), 900);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.busy || this.stopped || !this.pending) return;
    this.busy = true;
    this.pending = false;
    this.told("saving");
    try {
      const bpmn = await this.write();
      const answer = await this.ask("model", { method: "PUT", body: JSON.stringify({ revision: this.revision, bpmn }), keepalive: document.hidden && bpmn.length < 60_000 });
      const found = await answer.json();
      this.busy = false;
      this.lost = 0;
      if (answer.status === 409 && "revision" in found) return this.conflict(found);
      if (!answer.ok) return this.refused(found);
      this.revision = found.revision;
      this.told(this.pending ? "changed" : "saved", found.problems);
      if (this.pending) this.changed();
    } catch {
      this.busy = false;
      this.pending = true;
      this.told("offline");
      this.timer = setTimeout(() => this.save(), Math.min(60_000, 2_000 * 2 ** this.lost++));
    }
  }

  conflict(found) {
    this.pending = this.stopped = true;
    this.told("conflict", found);
  }

  refused(found) {
    this.pending = true;
    this.told("refused", found.error || found);
  }

  /** What is on the screen as a draft of its own; gives its address. */
  async keepMine() {
    const bpmn = await this.write();
    const form = new FormData();
    form.set("csrf_token", this.token);
    const started = await fetch(`/studio/flows/${encodeURIComponent(this.key)}/drafts`, { method: "POST", body: form, headers: { "X-CSRFToken": this.token } });
    const mine = new URL(started.url).pathname;
    const [theirs, fresh] = await Promise.all([this.get("model"), this.get(`${mine}/model`)]);
    const body = JSON.stringify({ revision: fresh.revision, bpmn, tables: theirs.tables, forms: theirs.forms });
    const answer = await this.ask(`${mine}/model`, { method: "PUT", body });
    if (!started.ok || !answer.ok) throw new Error("not kept");
    this.pending = false;
    return mine;
  }
}
