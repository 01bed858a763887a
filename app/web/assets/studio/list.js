// The step list beside the canvas: the same model as cards in the order in which they are done; enough by itself on a phone.
import { is } from "bpmn-js/lib/util/ModelUtil.js";
import { nameOf as called } from "./extensions.js";
import { kindOf } from "./panel.js";
import { outOf } from "./steps.js";
import { button, make, said, unlessPressed } from "./words.js";

const nameOf = (shape) => called(shape) || kindOf(shape);

export class StepList {
  constructor(root, parts) {
    Object.assign(this, parts, { root });
    this.draw = unlessPressed(root, this.draw.bind(this));
  }

  draw(selected, troubled) {
    const at = this.root.contains(document.activeElement) && document.activeElement.dataset.key;
    this.root.replaceChildren(...this.steps.all().filter((shape) => shape.businessObject.name || !is(shape, "bpmn:Gateway") || outOf(shape).length > 1).map((shape) => this.card(shape, selected, troubled)));
    if (at) this.root.querySelector(`[data-key="${CSS.escape(at)}"]`)?.focus();
  }

  card(shape, selected, troubled) {
    const name = nameOf(shape);
    const wrong = troubled.get(shape.id);
    const open = button("", () => this.choose(shape), { class: "step-name", "data-key": `${shape.id}/open`, "aria-current": shape === selected && "step" });
    open.append(make("strong", {}, name), " ", make("small", {}, kindOf(shape)), wrong ? make("span", { class: `chip ${wrong === "error" ? "bad" : "warn"}` }, wrong === "error" ? said("有问题", "Problem") : said("建议", "Advice")) : "");
    const tool = (zh, en, sign, key, run, can) => button(sign, run, { class: "tool", title: said(zh, en), "aria-label": `${said(zh, en)}${said("：", ": ")}${name}`, disabled: !can, "data-key": `${shape.id}/${key}` });
    const task = is(shape, "bpmn:Activity");
    const bar = make("div", { class: "tools" },
      task && tool("上移", "Move up", "↑", "up", () => this.steps.move(shape, -1), this.steps.place(shape, -1)),
      task && tool("下移", "Move down", "↓", "down", () => this.steps.move(shape, 1), this.steps.place(shape, 1)),
      this.steps.canRemove(shape) && tool("删除", "Remove", "×", "remove", () => this.take(shape), true));
    const ways = outOf(shape);
    const after = ways.map((flow) => make("li", { class: "onward" },
      ways.length > 1 && make("span", {}, `${called(flow) || said("否则", "Else")} → ${nameOf(flow.target)}`),
      button(said("＋ 在此插入步骤", "+ Insert a step here"), () => this.add(flow), { class: "insert", "data-key": `${flow.id}/insert`,
        "aria-label": said(`＋ 在此插入步骤：在「${name}」${ways.length > 1 && called(flow) ? `（${called(flow)}）` : ""}之后`, `+ Insert a step here: after “${name}”${ways.length > 1 && called(flow) ? ` (${called(flow)})` : ""}`) })));
    return make("li", { class: `step${shape === selected ? " chosen" : ""}`, "data-step": shape.id }, make("div", { class: "card-row" }, open, bar), after.length ? make("ul", {}, ...after) : null);
  }

  /** What is inserted is a person's step; its form is that of the decision nearest to it. */
  add(flow) {
    const form = this.formNear(flow);
    const made = this.steps.insert(flow, { name: said("新步骤", "New step"), said: form ? { form } : {} });
    this.choose(made, true);
  }

  take(shape) {
    const next = outOf(shape)[0]?.target;
    this.steps.remove(shape);
    this.choose(next || null);
  }
}
