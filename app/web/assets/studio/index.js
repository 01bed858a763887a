// The editor of a flow's draft: the canvas, the step list, the panel and the problems show one model, which saves itself.
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import "./studio.css";
import { is } from "bpmn-js/lib/util/ModelUtil.js";
import { canvas } from "./canvas.js";
import { properties } from "./extensions.js";
import { StepList } from "./list.js";
import { Panel } from "./panel.js";
import { Draft } from "./saving.js";
import { outOf } from "./steps.js";
import { button, english, make, said } from "./words.js";

const root = document.getElementById("editor");
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const PALETTE = 90; // pixels at the left that it takes
const SAYS = {
  saving: said("正在保存…", "Saving…"), saved: said("已保存", "Saved"), changed: said("有改动，即将保存", "Changed; about to be saved"),
  offline: said("没有连上服务器：改动留在此页，连上后自动保存", "Not connected: what you changed stays on this page and is saved once the line is back"),
  conflict: said("没有保存：草稿已被别人改过", "Not saved: somebody else has changed the draft"), refused: said("没有保存", "Not saved"),
  out: said("没有保存：登录已过期。请在另一个窗口登录，改动留在此页，登录后自动保存", "Not saved: you were logged out. Log in in another window; what you changed stays on this page and is saved then"),
};

async function begin() {
  const address = root.dataset.address;
  const draft = new Draft(address, root.dataset.token, tell);
  const [model, choices, problems] = await Promise.all([draft.open(), draft.get("choices"), draft.get("problems")]);
  const modeler = canvas(part("canvas"), choices.roles);
  await modeler.importXML(model.bpmn);
  const get = (name) => modeler.get(name);
  const [bus, selection, registry, stack, view] = ["eventBus", "selection", "elementRegistry", "commandStack", "canvas"].map(get);
  const [steps, writing] = [get("studioSteps"), get("studioWriting")];
  const parts = { steps, writing, registry, choices, address, forms: model.forms, go: choose, choose, formNear };
  const panel = new Panel(part("panel"), parts);
  const list = new StepList(part("steps"), parts);
  let chosen = null;
  let troubled = new Map();

  function choose(element, naming = false) {
    const shown = element && registry.get(element.id) ? element : view.getRootElement();
    selection.select(shown === view.getRootElement() ? null : shown);
    if (shown !== view.getRootElement() && part("canvas").offsetParent) view.scrollToElement(shown, 80);
    show(shown);
    if (!naming) return;
    const name = part("panel").querySelector(`[data-name="${naming === true ? "name" : naming}"]`);
    name?.scrollIntoView({ block: "center" });
    name?.focus();
    name?.select();
  }

  function show(element) {
    chosen = element;
    panel.show(element);
    list.draw(element, troubled);
    history.replaceState(null, "", element === view.getRootElement() ? location.pathname : `#element=${encodeURIComponent(element.id)}`);
  }

  /** The form of the nearest step that asks for a decision, so that a new step is one that can be done. */
  function formNear(flow) {
    const decides = (name) => choices.forms[name]?.fields.some((one) => one.id === "decision");
    const people = steps.all().filter((one) => is(one, "bpmn:UserTask")).map((one) => [one, properties(one).form || one.id]).filter(([, form]) => decides(form));
    const near = people.sort(([a], [b]) => Math.abs(a.x - flow.source.x) - Math.abs(b.x - flow.source.x))[0];
    return near?.[1] || Object.keys(choices.forms).find(decides) || "";
  }

  function tell(state, found) {
    part("state").textContent = SAYS[state];
    part("state").dataset.state = state;
    if (state === "refused") part("state").textContent += said(`：${found.zh || found.message || ""}`, `: ${found.en || found.message || ""}`);
    if (state === "conflict" && found && !part("conflict").open) conflict(found);
    if (state === "saved" && found) list_problems(found);
  }

  function conflict(found) {
    const at = new Date(found.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    const dialog = part("conflict");
    const note = make("p", { role: "status" });
    dialog.replaceChildren(
      make("h2", {}, said("草稿已被别人改过", "Somebody else has changed this draft")),
      make("p", {}, said(`${found.by} 在 ${at} 保存了这份草稿。您的改动没有覆盖它，还在这一页上。`, `${found.by} saved this draft at ${at}. Your changes have not replaced theirs; they are still on this page.`)),
      note,
      make("div", { class: "dialog-actions" },
        button(said("看对方的（放弃我的改动）", "Look at theirs (drop my changes)"), () => {
          draft.pending = false;
          location.reload();
        }),
        button(said("把我的存为新草稿", "Keep mine as a new draft"), async () => {
          try {
            location.href = await draft.keepMine();
          } catch {
            note.textContent = said("没有存成，请再试一次。", "That did not work; please try again.");
          }
        }, { class: "button primary" })));
    dialog.showModal();
  }

  function list_problems(found) {
    troubled = new Map();
    for (const one of found) if (one.place === "diagram" && troubled.get(one.element) !== "error") troubled.set(one.element, one.severity);
    registry.forEach((one) => view.removeMarker(one, "troubled"));
    for (const id of troubled.keys()) if (registry.get(id)) view.addMarker(id, "troubled");
    const errors = found.filter((one) => one.severity === "error").length;
    part("count").textContent = found.length ? said(`${errors} 处问题，${found.length - errors} 条建议`, `${errors} problems, ${found.length - errors} suggestions`) : said("没有发现问题", "No problems found");
    part("problems").replaceChildren(...found.map((one) => {
      const words = [make("strong", {}, said(one.zh, one.en)), make("small", {}, said(one.remedy_zh, one.remedy_en))];
      const open = one.place === "table" ? make("a", { href: `${address}/tables/${encodeURIComponent(one.element)}` }, ...words) : button("", () => choose(registry.get(one.element)), { class: "problem" });
      if (one.place !== "table") open.append(...words);
      return make("li", { class: one.severity }, make("span", { class: `chip ${one.severity === "error" ? "bad" : "warn"}` }, one.severity === "error" ? said("须更正", "To correct") : said("建议", "Advice")), open);
    }));
    list.draw(chosen, troubled);
  }

  function remove(element) {
    const next = is(element, "bpmn:FlowNode") ? outOf(element)[0]?.target : element.source;
    if (is(element, "bpmn:FlowNode")) steps.remove(element);
    else writing.modeling.removeConnection(element);
    choose(next);
  }

  draft.watch(async () => {
    steps.keepLanes();
    return (await modeler.saveXML({ format: true })).xml;
  });
  bus.on("commandStack.changed", () => {
    part("undo").disabled = !stack.canUndo();
    part("redo").disabled = !stack.canRedo();
    if (stack._stackIdx >= 0 || stack.canRedo()) draft.changed();
    if (chosen && registry.get(chosen.id)) {
      if (!part("panel").contains(document.activeElement)) panel.show(chosen);
      list.draw(chosen, troubled);
    } else show(view.getRootElement());
  });
  bus.on("selection.changed", ({ newSelection }) => newSelection[0] !== chosen && show(newSelection[0]?.labelTarget || newSelection[0] || view.getRootElement()));
  if (english) {
    bus.on("element.dblclick", 2000, ({ element }) => {
      choose(element.labelTarget || element, "en"); // the drawing shows the name in English, which is not what typing there would change
      return false;
    });
  }
  bus.on("studio.insert", ({ flow }) => list.add(flow));
  bus.on("studio.remove", ({ element }) => remove(element));
  // all of it, and none of it under the palette; on a phone the list alone is shown
  const fit = () => {
    if (!part("canvas").offsetParent) return;
    view.zoom("fit-viewport", "auto");
    const { inner, outer, scale } = view.viewbox();
    const size = Math.min(scale, (outer.width - PALETTE - 20) / inner.width);
    view.viewbox({ x: inner.x - PALETTE / size, y: inner.y - (outer.height / size - inner.height) / 2, width: outer.width / size, height: outer.height / size });
  };
  const wire = (name, run) => part(name).addEventListener("click", run);
  wire("undo", () => stack.undo());
  wire("redo", () => stack.redo());
  wire("fit", fit);
  wire("whole", () => choose(null));
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.closest("input, textarea, select, dialog")) return;
    const key = event.key.toLowerCase();
    if (key === "z" || key === "y") {
      event.preventDefault();
      if (key === "y" || event.shiftKey) stack.redo();
      else stack.undo();
    }
  }, true);
  const asked = () => registry.get(decodeURIComponent(/^#element=(.+)$/.exec(location.hash)?.[1] || ""));
  addEventListener("hashchange", () => asked() && choose(asked()));
  fit();
  choose(asked());
  list_problems(problems);
  part("state").textContent = SAYS.saved;
  part("state").dataset.state = "saved";
  presence(draft);
}

/** Who else has the draft open, asked while the page can be seen, and when one comes back to it. */
function presence(draft) {
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await draft.ask("presence", { method: "POST" });
      const { others } = await answer.json();
      part("others").textContent = others.length ? said(`${others.map((one) => one.name).join("、")} 也打开着这份草稿`, `${others.map((one) => one.name).join(", ")} also ${others.length === 1 ? "has" : "have"} this draft open`) : "";
    } catch {
      // the state of saving says that there is no line
    }
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, 20_000);
  look();
}

begin().catch((error) => {
  part("state").textContent = said("打不开流程图，请重新载入此页。", "The diagram could not be opened. Please load this page again.");
  part("state").dataset.state = "refused";
  console.error(error);
});
