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
    addEventListener("online", () => (this.stopped ? this.told("conflict", this.theirs) : this.pending ? this.save() : this.told("saved")));
    addEventListener("offline", () => this.told("offline"));
    document.addEventListener("visibilitychange", () => document.hidden && this.pending && this.save());
    addEventListener("beforeunload", (event) => (this.pending || this.busy) && event.preventDefault());
  }

  changed() {
    this.pending = true;
    if (this.stopped) return this.told("conflict", this.theirs);
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
      if (!answer.ok) return [400, 401, 403].includes(answer.status) ? this.admitted(found) : this.refused(found);
      this.revision = found.revision;
      this.renewed = false;
      this.told(this.pending ? "changed" : "saved", found.problems);
      if (this.pending) this.changed();
    } catch {
      this.busy = false;
      this.pending = true;
      this.told("offline");
      this.timer = setTimeout(() => this.save(), Math.min(60_000, 2_000 * 2 ** this.lost++));
    }
  }

  /** Logged out meanwhile: once one has logged in again, in another window, the page gets a token and saves. */
  async admitted(found) {
    this.pending = true;
    const model = this.renewed ? null : await this.ask("model");
    if (model?.ok) {
      this.token = (await model.json()).token;
      this.renewed = true;
      this.save();
    } else if (model?.status === 401) {
      this.told("out");
      this.timer = setTimeout(() => this.save(), Math.min(60_000, 2_000 * 2 ** this.lost++));
    } else {
      this.renewed = false;
      this.refused(found);
    }
  }

  conflict(found) {
    this.pending = this.stopped = true;
    this.theirs = found;
    this.told("conflict", found);
  }

  refused(found) {
    this.pending = true;
    this.told("refused", found.error || found);
  }

  /** What is on the screen as a draft of its own; gives its address. */
  async keepMine() {
    const bpmn = await this.write();
    const answer = await this.ask("copies", { method: "POST", body: JSON.stringify({ revision: this.revision, bpmn }) });
    if (!answer.ok) throw new Error("not kept");
    const mine = (await answer.json()).address;
    this.pending = false;
    return mine;
  }
}
