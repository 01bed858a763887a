// <seal-placement>: drag a seal to its place on a page, at its true size.
// The place lives in number fields, in points from the page's lower left corner; this only moves them. So it
// works without this script, survives a turned phone, and never knows pixels.
const POINTS_PER_MM = 72 / 25.4;

class SealPlacement extends HTMLElement {
  connectedCallback() {
    this.pages = JSON.parse(this.dataset.pages);
    this.form = this.closest("form");
    this.sheet = this.querySelector(".sheet");
    this.leaf = this.querySelector(".leaf");
    this.said = this.querySelector(".place-said");
    this.stamp = this.querySelector(".stamp");
    this.strip = this.querySelector(".strip");
    this.strips = JSON.parse(this.dataset.strips);
    this.stamp.hidden = false;
    this.stamp.addEventListener("pointerdown", (event) => this.grab(event));
    this.stamp.addEventListener("keydown", (event) => this.nudge(event));
    this.stamp.addEventListener("dragstart", (event) => event.preventDefault());
    this.leaf.addEventListener("click", (event) => this.jump(event));
    this.form.addEventListener("input", (event) => this.changed(event.target));
    this.changed(this.field("page"));
  }

  field(name) {
    return this.form.elements[name];
  }

  get seal() {
    const chosen = this.form.querySelector('[name="seal_id"]:checked') ?? this.field("seal_id");
    return { width: chosen.dataset.widthMm * POINTS_PER_MM, height: chosen.dataset.heightMm * POINTS_PER_MM, src: chosen.dataset.src };
  }

  get page() {
    const [width, height] = this.pages[(this.field("page").valueAsNumber || 1) - 1] ?? this.pages[0];
    return { width, height };
  }

  get place() {
    return { x: this.field("x_pt").valueAsNumber || 0, y: this.field("y_pt").valueAsNumber || 0 };
  }

  changed(field) {
    if (field.name === "page" && this.pages[field.valueAsNumber - 1]) {
      this.leaf.src = this.dataset.pageSrc.replace("/0.png", `/${field.valueAsNumber}.png`);
      this.move(this.place); // a smaller page may not hold the seal where it was
    }
    this.draw();
  }

  // keep the seal on the page, to a tenth of a point
  move({ x, y }) {
    const within = (value, room) => Math.round(Math.min(Math.max(value, 0), Math.max(room, 0)) * 10) / 10;
    this.field("x_pt").value = within(x, this.page.width - this.seal.width);
    this.field("y_pt").value = within(y, this.page.height - this.seal.height);
    this.draw();
  }

  draw() {
    const { page, seal, place, stamp } = this;
    if (!stamp.src.endsWith(seal.src)) stamp.src = seal.src;
    stamp.style.width = `${(seal.width / page.width) * 100}%`;
    stamp.style.height = `${(seal.height / page.height) * 100}%`;
    stamp.style.left = `${(place.x / page.width) * 100}%`;
    stamp.style.bottom = `${(place.y / page.height) * 100}%`;
    this.drawStrip();
    const mm = (points) => (points / POINTS_PER_MM).toFixed(1);
    this.said.textContent = this.dataset.said.replace("{x}", mm(place.x)).replace("{y}", mm(place.y));
  }

  // the seal across the edges: what of it stands on this page, along the right one
  drawStrip() {
    const { page, seal, strip } = this;
    if (!strip) return;
    strip.hidden = !this.field("straddle").checked;
    const [index, of] = this.strips[(this.field("page").valueAsNumber || 1) - 1] ?? this.strips[0];
    const [picture] = strip.children;
    if (!picture.src.endsWith(seal.src)) picture.src = seal.src;
    strip.style.width = `${(seal.width / of / page.width) * 100}%`;
    strip.style.height = `${(seal.height / page.height) * 100}%`;
    strip.style.bottom = `${((this.field("straddle_pt").valueAsNumber || 0) / page.height) * 100}%`;
    picture.style.width = `${of * 100}%`;
    picture.style.left = `${index * -100}%`;
  }

  grab(event) {
    event.preventDefault();
    this.stamp.focus({ preventScroll: true });
    this.stamp.setPointerCapture(event.pointerId);
    const from = { ...this.place, left: event.clientX, top: event.clientY };
    const drag = (now) => {
      const scale = this.page.width / this.leaf.getBoundingClientRect().width;
      this.move({ x: from.x + (now.clientX - from.left) * scale, y: from.y - (now.clientY - from.top) * scale });
    };
    this.stamp.addEventListener("pointermove", drag);
    const drop = () => this.stamp.removeEventListener("pointermove", drag);
    this.stamp.addEventListener("pointerup", drop, { once: true });
    this.stamp.addEventListener("pointercancel", drop, { once: true });
  }

  // a click on the paper brings the seal there, its middle under the pointer
  jump(event) {
    const box = this.leaf.getBoundingClientRect();
    const scale = this.page.width / box.width;
    this.move({ x: (event.clientX - box.left) * scale - this.seal.width / 2, y: (box.bottom - event.clientY) * scale - this.seal.height / 2 });
  }

  nudge(event) {
    const step = event.shiftKey ? 10 : 1;
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.move({ x: this.place.x + way[0], y: this.place.y + way[1] });
  }
}

customElements.define("seal-placement", SealPlacement);
