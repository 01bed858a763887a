// <signature-pad data-into="ID of a file input" data-label data-clear>: handwriting by finger, pen or mouse.
// Strokes are kept as fractions of the field, so turning the phone or resizing the window loses nothing.
const RATIO = 400 / 150;
const PIXELS = 1600;

class SignaturePad extends HTMLElement {
  strokes = [];

  connectedCallback() {
    if (this.canvas) return;
    const label = Object.assign(document.createElement("p"), { className: "hint", textContent: this.dataset.label });
    this.canvas = Object.assign(document.createElement("canvas"), { className: "scan" });
    Object.assign(this.canvas.style, { width: "100%", aspectRatio: String(RATIO), touchAction: "none", cursor: "crosshair" });
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.dataset.label);
    const clear = Object.assign(document.createElement("button"), { type: "button", className: "button quiet", textContent: this.dataset.clear });
    clear.addEventListener("click", () => { this.strokes = []; this.show(); });
    this.append(label, this.canvas, clear);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.end());
    new ResizeObserver(() => this.show()).observe(this.canvas);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = [this.at(event)];
    this.strokes.push(this.stroke);
  }

  go(event) {
    if (!this.stroke) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.stroke.push(this.at(one));
    this.show();
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.hand();
  }

  show() {
    this.canvas.width = this.canvas.clientWidth * devicePixelRatio;
    this.canvas.height = this.canvas.clientHeight * devicePixelRatio;
    this.draw(this.canvas);
  }

  draw(canvas) {
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, { strokeStyle: "#14141c", lineWidth: canvas.width / 110, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      pen.beginPath();
      for (const [x, y] of stroke) pen.lineTo(x * canvas.width, y * canvas.height);
      if (stroke.length === 1) pen.lineTo(stroke[0][0] * canvas.width + 1, stroke[0][1] * canvas.height);
      pen.stroke();
    }
  }

  // the drawing goes the way a scan goes: into the file input, whose change asks for the preview
  hand() {
    const canvas = Object.assign(document.createElement("canvas"), { width: PIXELS, height: Math.round(PIXELS / RATIO) });
    this.draw(canvas);
    canvas.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "handwriting.png", { type: "image/png" }));
      const input = document.getElementById(this.dataset.into);
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, "image/png");
  }
}

customElements.define("signature-pad", SignaturePad);
