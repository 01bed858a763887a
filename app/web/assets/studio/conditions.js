// The ways that leave a gateway: a field, how it is compared, and a value; written as FEEL that nobody has to see.
import { is } from "bpmn-js/lib/util/ModelUtil.js";
import { extension, nameOf, properties } from "./extensions.js";
import { outOf } from "./steps.js";
import { button, field, label, make, said, select } from "./words.js";

const COMPARE = {
  "=": said("等于", "is"), "!=": said("不等于", "is not"), ">": said("大于", "is more than"),
  ">=": said("不小于", "is at least"), "<": said("小于", "is less than"), "<=": said("不大于", "is at most"),
};
const PART = /^\s*([\p{L}_][\p{L}\p{N}_.]*)\s*(!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|date\("[\d-]+"\))\s*$/u;

/** The comparisons of a condition that is nothing but comparisons joined by "and"; null of any other. */
export function parts(text) {
  if (!text?.trim()) return [];
  const found = text.split(/\s+and\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((one) => PART.exec(one));
  return found.every(Boolean) ? found.map(([, path, compare, value]) => ({ path, compare, value })) : null;
}

const written = (list) => list.map((one) => `${one.path} ${one.compare} ${one.value}`).join(" and ");

/** What a condition can ask about: the answers of the flow's forms, votes and rule tables. */
export function fields(steps, choices) {
  const found = [];
  for (const shape of steps.all()) {
    const name = nameOf(shape) || said("未命名步骤", "Unnamed step");
    const object = shape.businessObject;
    const extra = properties(shape);
    if (is(shape, "bpmn:UserTask") && extra.vote) {
      found.push({ path: `${object.id}.result`, text: `${name} · ${said("会签结果", "result of the vote")}`, type: "choice",
        choices: [{ id: "approved", zh: "通过", en: "Approved" }, { id: "refused", zh: "不通过", en: "Refused" }] });
    } else if (is(shape, "bpmn:UserTask")) {
      const form = choices.forms[extra.form || object.id];
      for (const one of form?.fields || []) {
        found.push({ path: extra.merge === "true" ? one.id : `${object.id}.${one.id}`, text: `${name} · ${label(one)}`, type: one.type, choices: one.choices });
      }
    } else if (is(shape, "bpmn:BusinessRuleTask")) {
      const decision = choices.decisions.find((one) => one.id === extension(shape, "CalledDecisionId")?.value?.trim());
      for (const one of decision?.outputs || []) {
        const root = extra.result || object.id;
        found.push({ path: one.id && decision.outputs.length > 0 ? `${root}.${one.id}` : root, text: `${name} · ${label(one)}`, type: one.type, choices: one.choices });
      }
    }
  }
  return found;
}

/** The first step on this way that has a name: a gateway that only joins has none. */
function leadsTo(flow) {
  const seen = new Set();
  let one = flow;
  while (one && !seen.has(one) && !nameOf(one.target)) {
    seen.add(one);
    [one] = outOf(one.target);
  }
  return one && nameOf(one.target);
}

/** The boxes for every way out of a gateway. `writing` writes; `again` draws the panel anew. */
export function ways(gateway, { steps, writing, choices, again, go }) {
  const known = fields(steps, choices);
  const parallel = is(gateway, "bpmn:ParallelGateway") || is(gateway, "bpmn:EventBasedGateway");
  return outOf(gateway).map((flow) => {
    const object = flow.businessObject;
    const standard = gateway.businessObject.default === object;
    const legend = `${nameOf(flow)} → ${leadsTo(flow) || said("下一步", "next")}`;
    const name = make("input", { value: object.name || "", "data-name": "way-name", onchange: (event) => writing.update(flow, { name: event.target.value }) });
    const inEnglish = make("input", { value: properties(flow).en || "", "data-name": "way-en", onchange: (event) => writing.set(flow, { en: event.target.value.trim() }) });
    const box = make("fieldset", { class: "way" }, make("legend", {}, legend), field(said("这条路的名称", "Name of this way"), name), field(said("这条路的英文名称", "Name of this way in English"), inEnglish));
    if (!parallel && outOf(gateway).length > 1) {
      const chosen = make("input", { type: "radio", name: `default-${gateway.id}`, onchange: () => {
        writing.update(gateway, { default: object });
        again();
      } });
      chosen.checked = standard;
      box.append(make("label", { class: "choice" }, chosen, said("其余情形都走这条", "Whatever else takes this way")));
      if (!standard) box.append(condition(flow, known, writing, again));
    }
    box.append(button(said("看下一步", "Show what follows"), () => go(flow.target), { class: "button quiet" }));
    return box;
  });
}

function condition(flow, known, writing, again) {
  const text = flow.businessObject.conditionExpression?.body || "";
  const list = parts(text);
  const write = (changed) => {
    const body = written(changed);
    writing.update(flow, { conditionExpression: body ? writing.below(flow, "bpmn:FormalExpression", { body }) : undefined });
    again();
  };
  if (list === null) {
    return make("div", { class: "notice info" }, said("这条路的条件是用别的工具写的，会照旧执行：", "This condition was written with another tool and is kept as it is: "),
      make("span", { class: "kept" }, text), button(said("改为自己选择", "Choose one instead"), () => write([]), { class: "button quiet" }));
  }
  const rows = list.map((one, index) => row(one, known, (changed) => write(list.map((other, at) => (at === index ? changed : other))),
    list.length > 1 ? () => write(list.filter((_, at) => at !== index)) : null));
  const first = known[0];
  const more = first && button(list.length ? said("再加一个条件", "And another condition") : said("选择条件", "Choose a condition"),
    () => write([...list, { path: first.path, compare: "=", value: start(first) }]), { class: "button quiet", "data-name": "add-condition" });
  return make("div", {}, ...rows, more || make("p", { class: "hint" }, said("前面的步骤没有可以比较的字段。", "No step before has a field to compare.")));
}

const start = (one) => (one.choices?.length ? JSON.stringify(one.choices[0].id) : one.type === "number" ? "0" : one.type === "date" ? `date("${new Date().toISOString().slice(0, 10)}")` : '""');

function row(one, known, write, remove) {
  const about = known.find((other) => other.path === one.path);
  const numeric = about ? ["number", "date"].includes(about.type) : /^-?\d/.test(one.value);
  const pairs = known.map((other) => [other.path, other.text]);
  const which = select(about ? pairs : [...pairs, [one.path, said("（已不存在的字段）", "(a field that is gone)")]], one.path,
    (path) => write({ path, compare: "=", value: start(known.find((other) => other.path === path) || {}) }), "condition-field");
  const compare = select(Object.entries(COMPARE).filter(([sign]) => numeric || ["=", "!="].includes(sign) || sign === one.compare), one.compare,
    (sign) => write({ ...one, compare: sign }), "condition-compare");
  which.setAttribute("aria-label", said("字段", "Field"));
  compare.setAttribute("aria-label", said("比较", "Comparison"));
  return make("div", { class: "condition" }, which, compare, value(one, about, (changed) => write({ ...one, value: changed })),
    remove && button("×", remove, { class: "button quiet", "aria-label": said("去掉这个条件", "Take this condition away") }));
}

function value(one, about, write) {
  const plain = one.value.startsWith('"') ? JSON.parse(one.value) : one.value.replace(/^date\("(.*)"\)$/, "$1");
  const named = { "aria-label": said("取值", "Value"), "data-name": "condition-value" };
  if (about?.choices?.length) {
    const made = select(about.choices.map((choice) => [choice.id, label(choice)]), plain, (chosen) => write(JSON.stringify(chosen)), "condition-value");
    made.setAttribute("aria-label", said("取值", "Value"));
    return made;
  }
  if (about?.type === "number" || (!about && /^-?\d/.test(one.value))) {
    return make("input", { ...named, type: "number", step: "any", value: plain, onchange: (event) => event.target.value && write(String(Number(event.target.value))) });
  }
  if (about?.type === "date") return make("input", { ...named, type: "date", value: plain, onchange: (event) => event.target.value && write(`date("${event.target.value}")`) });
  return make("input", { ...named, value: plain, onchange: (event) => write(JSON.stringify(event.target.value)) });
}
