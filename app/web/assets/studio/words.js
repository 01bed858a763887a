// The page's language, and small builders of elements. Every text for people is a pair: said("中文", "English").
export const english = document.documentElement.lang.startsWith("en");
export const said = (zh, en) => (english ? en : zh);
export const label = (thing) => (english ? thing.en : thing.zh) || thing.label || thing.name || thing.id;

/** An element: make("p", {class: "hint", onclick: f}, "text", child, …). Properties that are false or null are left out. */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

let count = 0;

/** A labelled control. `hint` is said with it. */
export function field(text, control, hint) {
  control.id ||= `studio-${++count}`;
  const note = hint && make("p", { class: "hint", id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return make("div", { class: "field" }, make("label", { for: control.id }, text), control, note);
}

/** A drop-down of [value, text] pairs; a present value that is none of them is kept, and shown as it stands. */
export function select(pairs, value, onchange, name) {
  const known = pairs.some(([one]) => one === value);
  const options = known ? pairs : [...pairs, [value, value]];
  const made = make("select", { "data-name": name, onchange: () => onchange(made.value) });
  made.append(...options.map(([one, text]) => new Option(text, one, false, one === value)));
  return made;
}

export function tick(text, checked, onchange, name) {
  const box = make("input", { type: "checkbox", "data-name": name, onchange: () => onchange(box.checked) });
  box.checked = checked;
  return make("label", { class: "choice" }, box, make("span", {}, text));
}

export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", class: "button", onclick, ...properties }, text);
}

/** `draw`, which draws `root` anew, put off while somebody presses on it. What is typed in a field takes effect when
    the press on something else takes the focus away; drawn at that moment, what is pressed would be gone before the click. */
export function unlessPressed(root, draw) {
  let pressed = false;
  let later = null;
  const drawn = (...given) => {
    later = pressed ? given : null;
    if (!pressed) draw(...given);
  };
  const released = () => {
    pressed = false;
    setTimeout(() => later && drawn(...later)); // after the click
  };
  root.addEventListener("pointerdown", () => (pressed = true), true);
  root.addEventListener("change", (event) => event.target.matches("select") && (pressed = false), true); // its list takes the release
  for (const end of ["pointerup", "pointercancel", "keydown"]) addEventListener(end, () => pressed && released(), true);
  return drawn;
}
