// 审批设置: what can be chosen about the step, gateway or flow that is selected.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil.js";
import { fields, ways } from "./conditions.js";
import * as durations from "./durations.js";
import { extension, nameOf, properties } from "./extensions.js";
import { field, label, make, said, select, tick, unlessPressed } from "./words.js";

const NONE = ["", "—"];

export class Panel {
  constructor(root, parts) {
    Object.assign(this, parts, { root });
    this.show = unlessPressed(root, this.show.bind(this));
  }

  show(element) {
    this.element = element;
    const object = getBusinessObject(element);
    this.said = properties(element);
    const kept = this.root.contains(document.activeElement) && document.activeElement.dataset.name;
    this.root.replaceChildren(make("h2", {}, said("审批设置", "Settings")), make("p", { class: "kind" }, kindOf(element)), ...this.groups(element, object).filter(Boolean));
    if (kept) this.root.querySelector(`[data-name="${kept}"]`)?.focus();
  }

  groups(element, object) {
    const named = [this.text(said("名称", "Name"), object.name, (name) => this.writing.update(element, { name }), "name", said("", "As the Chinese pages say it. This page shows the name in English where there is one.")),
      this.property("en", said("英文名称", "Name in English"))];
    if (is(element, "bpmn:UserTask")) return [...named, ...this.person(), this.permissions(), this.vote(object), this.policies(), this.messages(), this.back()];
    if (is(element, "bpmn:BusinessRuleTask")) return [...named, ...this.table()];
    if (is(element, "bpmn:ServiceTask")) return [...named, ...this.action()];
    if (is(element, "bpmn:CallActivity")) {
      const pairs = this.choices.flows.map((one) => [one.id, label(one)]);
      return [...named, field(said("调用的流程", "The flow it calls"), select([NONE, ...pairs], object.calledElement || "", (calledElement) => this.writing.update(element, { calledElement }), "call"))];
    }
    if (is(element, "bpmn:Gateway")) return [...named, ...ways(element, { ...this, again: () => this.show(element) })];
    if (is(element, "bpmn:SequenceFlow") && is(element.source, "bpmn:Gateway")) return this.groups(element.source, element.source.businessObject);
    if (is(element, "bpmn:Event")) return [...named, ...this.time(object)];
    if (is(element, "bpmn:Lane")) return [field(said("角色", "Role"), select(this.roles(), this.roleOfLane(object.name), (id) => this.nameLane(element, id), "lane-role"))];
    if (is(element, "bpmn:Process")) return [...named, ...this.flow()];
    return named;
  }

  // --- the building blocks
  text(text, value, write, name, hint) {
    return field(text, make("input", { value: value || "", maxlength: 200, "data-name": name, onchange: (event) => write(event.target.value.trim()) }), hint);
  }

  property(name, text, hint) {
    return this.text(text, this.said[name], (value) => this.set({ [name]: value }), name, hint);
  }

  choice(name, text, pairs, hint) {
    return field(text, select(pairs, this.said[name] || "", (value) => this.set({ [name]: value }), name), hint);
  }

  set(changes) {
    this.writing.set(this.element, changes);
    this.show(this.element);
  }

  group(title, open, ...children) {
    const made = make("details", { class: "group", "data-group": title }, make("summary", {}, title), ...children.filter(Boolean));
    made.open = open || this.opened?.has(title);
    made.addEventListener("toggle", () => {
      this.opened ||= new Set();
      if (made.open) this.opened.add(title);
      else this.opened.delete(title);
    });
    return made;
  }

  roles() {
    return this.choices.roles.map((one) => [one.id, label(one)]);
  }

  roleOfLane(name) {
    return this.choices.roles.find((one) => [one.zh, one.en, one.id].includes(name))?.id || name || "";
  }

  nameLane(lane, id) {
    this.writing.update(lane, { name: this.choices.roles.find((one) => one.id === id)?.zh || id });
  }

  duration(name, text, value, write, units = durations.WORKING) {
    const parts = durations.split(value);
    if (!parts) return field(text, make("input", { value, readonly: true }), said("这个时间不止一个单位，保持原样。", "This time has more than one unit, and is kept as it is."));
    const number = make("input", { type: "number", min: 1, max: 9999, step: 1, value: parts[0], "data-name": name });
    const unit = select(units, parts[1] || units[0][0], () => tell(), `${name}-unit`);
    const tell = () => number.checkValidity() && write(durations.join(number.value, unit.value));
    number.addEventListener("change", tell);
    unit.setAttribute("aria-label", said("单位", "Unit"));
    const made = field(text, number);
    const pair = make("div", { class: "pair" });
    number.replaceWith(pair);
    pair.append(number, unit);
    return made;
  }

  // --- a person's step
  person() {
    const lane = this.laneOf(this.element);
    const role = this.choices.roles.find((one) => one.id === this.roleOfLane(lane));
    const inherited = lane ? said(`按泳道：${lane}`, `As its lane: ${role?.en || lane}`) : said("请选择", "Choose");
    const forms = Object.keys(this.choices.forms).map((name) => [name, this.choices.forms[name].zh ? label(this.choices.forms[name]) : this.formName(name)]);
    const late = [["", said("只标为逾期", "Only marked as late")], ["remind", said("提醒办理人", "Remind whoever has it")], ["escalate", said("升级给上级", "Escalate it")],
      ["pass", said("自动同意", "Agree by itself")], ["refuse", said("自动退回", "Send it back by itself")]];
    const acts = this.said.onTimeout || "";
    return [
      this.said.vote ? null : this.choice("role", said("由谁办理", "Who acts"), [["", inherited], ...this.roles()]),
      field(said("表单", "Form"), select([...(this.said.form ? [] : [["", this.formName(this.element.id)]]), ...forms], this.said.form || "", (form) => this.set({ form, fields: "" }), "form")),
      this.heard() ? null : make("p", { class: "hint" }, said("没有分支看这一步的结论：不同意也会继续往下走（办理人仍可用“退回”）。要改变走向，请在后面的分支中选择这一步的结论。",
        "No branch looks at this step's decision: the flow goes on even if it is refused (the person may still send it back). To change the way, choose its decision in a branch that follows.")),
      this.duration("dueIn", said("时限", "Due in"), this.said.dueIn, (dueIn) => this.set({ dueIn })),
      this.said.dueIn && this.choice("onTimeout", said("超时怎么办", "When it is late"), late),
      this.said.dueIn && acts === "escalate" && this.choice("escalateTo", said("升级给谁", "To whom"), [["", said("本角色的上级单位", "The same role in the unit above")], ...this.roles()]),
      this.said.dueIn && ["remind", "escalate"].includes(acts) && this.duration("every", said("每隔多久再次提醒", "Again every"), this.said.every, (every) => this.set({ every })),
      tick(said("须本人亲办（不可代办、不自动通过）", "By one's own hand (nobody else's, and never by itself)"), this.said.ownHand === "true", (on) => this.set({ ownHand: on ? "true" : "" }), "ownHand"),
      this.said.ownHand === "true" ? null : tick(said("可批量办理（在待办中勾选多项，一次决定）", "May be decided together (several ticked in the inbox, one decision)"), this.said.batch === "yes", (on) => this.set({ batch: on ? "yes" : "" }), "batch"),
    ];
  }

  /** What whoever does this step may do with each field of its form, besides the decision that it is there for. */
  permissions() {
    const fields = (this.choices.forms[this.said.form || this.element.id]?.fields || []).filter((one) => one.id !== "decision");
    if (!fields.length) return null;
    const now = Object.fromEntries((this.said.fields || "").split(",").map((one) => one.split(/[=:]/).map((part) => part.trim())));
    const may = [["edit", said("可填写", "May fill in")], ["read", said("只读", "May read")], ["hide", said("看不到", "Does not see")]];
    const write = (id, access) => {
      const told = fields.map((one) => [one.id, one.id === id ? access : now[one.id]]).filter(([, what]) => what && what !== "edit");
      this.set({ fields: told.map((pair) => pair.join("=")).join(", ") });
    };
    return this.group(said("字段权限", "Fields of the form"), Boolean(this.said.fields),
      ...fields.map((one) => field(label(one), select(may, now[one.id] || "edit", (access) => write(one.id, access), `access-${one.id}`))));
  }

  /** Whether any condition asks what was decided here. */
  heard() {
    const name = new RegExp(`(^|[^\\w.])${this.element.id}\\.`);
    const text = (flow) => flow.businessObject.conditionExpression?.body || "";
    const decides = (this.choices.forms[this.said.form || this.element.id]?.fields || []).some((one) => one.id === "decision");
    return !decides || this.registry.filter((one) => is(one, "bpmn:SequenceFlow") && name.test(text(one))).length > 0;
  }

  formName(name) {
    const words = this.forms?.[name]?.title;
    return words ? label(words) : this.choices.forms[name] ? name : said("请选择", "Choose");
  }

  vote(object) {
    const kinds = [["", said("不会签，一人办理", "No vote: one person acts")], ["all", said("全体同意", "All must agree")], ["any", said("或签：一人办理即可", "Whoever answers first decides")], ["ratio", said("按比例", "By share")]];
    if (this.said.vote === "weighted") kinds.push(["weighted", said("票签（按票权）", "By weight")]);
    const write = (vote) => this.steps.together(() => {
      const had = object.loopCharacteristics;
      if (vote && !had) this.writing.update(this.element, { loopCharacteristics: this.writing.below(this.element, "bpmn:MultiInstanceLoopCharacteristics", {}) });
      if (!vote && had) this.writing.update(this.element, { loopCharacteristics: undefined });
      const first = this.said.role || this.roleOfLane(this.laneOf(this.element)) || this.choices.roles[0]?.id;
      this.set({ vote, share: vote === "ratio" ? this.said.share || "2/3" : "", voterRole: vote && !this.said.voters ? this.said.voterRole || first : "", voters: vote ? this.said.voters : "" });
    });
    const kind = field(said("方式", "How"), select(kinds, this.said.vote || "", write, "vote"));
    if (!this.said.vote) return this.group(said("会签", "Vote"), false, kind);
    const shares = [["1/2", said("至少一半", "at least half")], ["2/3", said("至少三分之二", "at least two thirds")], ["3/4", said("至少四分之三", "at least three quarters")], ["60%", "60%"], ["80%", "80%"]];
    const turn = [["together", said("同时", "at the same time")], ["one", said("依次", "one after another")]];
    return this.group(said("会签", "Vote"), true, kind,
      this.said.voters ? make("p", { class: "hint" }, said("会签人员由流程中的名单给出。", "The voters come from a list in the flow.")) : this.choice("voterRole", said("由哪个角色会签", "Who votes"), this.roles()),
      ["ratio", "weighted"].includes(this.said.vote) && this.choice("share", said("同意的比例", "The share that must agree"), shares),
      field(said("顺序", "Order"), select(turn, object.loopCharacteristics?.isSequential ? "one" : "together",
        (way) => this.writing.modeling.updateModdleProperties(this.element, object.loopCharacteristics, { isSequential: way === "one" }), "order")));
  }

  policies() {
    const superior = [["superior", said("请上级办理", "Ask the superior")]];
    const ask = [["", said("照常办理", "Ask as always")], ["pass", said("自动通过", "Pass by itself")]];
    const nobody = [["", said("照系统设置", "As the system is set")], ["wait", said("等待", "Wait")], ["admin", said("转流程管理员", "Give it to the process owner")], ["pass", said("自动通过", "Pass by itself")], ["incident", said("报告受阻", "Report it as stopped")]];
    return this.group(said("特殊情形", "Special cases"), Boolean(this.said.nobody || this.said.own || this.said.repeat),
      this.choice("nobody", said("找不到人时", "Nobody found"), nobody),
      this.choice("own", said("发起人就是审批人时", "The approver is who applied"), [...ask, ...superior]),
      this.choice("repeat", said("同一人前面已同意时", "The same person has agreed before"), ask));
  }

  messages() {
    const plain = (name) => /^"((?:[^"\\]|\\.)*)"$/.test(this.said[name] || '""');
    const one = (name, text) => plain(name)
      ? this.text(text, this.said[name] && JSON.parse(this.said[name]), (value) => this.set({ [name]: value && JSON.stringify(value) }), name)
      : make("p", { class: "hint" }, text, said("：由流程中的数据给出", ": comes from the flow's data"));
    const copy = this.choice("copyTo", said("办完后抄送给", "Copy to, once it is done"), [NONE, ...this.roles()]);
    return this.group(said("提示与抄送", "Message and copies"), Boolean(this.said.notice_zh || this.said.copyTo),
      one("notice_zh", said("给办理人的话（中文）", "Message to the person (Chinese)")), one("notice_en", said("给办理人的话（英文）", "Message to the person (English)")), copy);
  }

  back() {
    return this.group(said("退回", "Sending back"), Boolean(this.said.return || this.said.resubmit),
      this.choice("return", said("可以退回到这一步吗", "May one go back to this step"), [["", said("可以", "Yes")], ["never", said("不可以", "No")]]),
      this.choice("resubmit", said("更正后重新提交", "Submitted anew after a correction"), [["", said("由退回的人选择", "Whoever sends it back chooses")], ["through", said("从这里重新走一遍", "Goes through all steps again")], ["straight", said("直接回到退回的人", "Goes straight back to them")]]));
  }

  laneOf(shape) {
    const lane = this.registry.filter((one) => is(one, "bpmn:Lane")).find((one) => {
      const [x, y] = [shape.x + shape.width / 2, shape.y + shape.height / 2];
      return x >= one.x && x <= one.x + one.width && y >= one.y && y <= one.y + one.height;
    });
    return lane?.businessObject.name;
  }

  // --- what the system does
  table() {
    const asked = extension(this.element, "CalledDecisionId")?.value?.trim() || "";
    const decision = this.choices.decisions.find((one) => one.id === asked);
    const pairs = this.choices.decisions.map((one) => [one.id, label(one)]);
    return [
      field(said("规则表", "Rule table"), select([NONE, ...pairs], asked, (id) => {
        this.writing.body(this.element, "CalledDecisionId", id);
        this.show(this.element);
      }, "decision")),
      decision && make("a", { class: "button", href: `${this.address}/tables/${encodeURIComponent(decision.file)}` }, said("打开规则表", "Open the rule table")),
    ];
  }

  action() {
    const operator = extension(this.element, "ServiceTaskOperator");
    const given = Object.fromEntries((operator?.parameters?.get("parameters") || []).map((one) => [one.id, one.value]));
    const chosen = this.choices.actions.find((one) => one.id === operator?.id);
    const result = operator?.resultVariable;
    const write = (id, values) => {
      const known = this.choices.actions.find((one) => one.id === id);
      const list = (known?.parameters || []).map((one) => ({ id: one.id, value: values[one.id] ?? (one.required ? one.id : "") })).filter((one) => one.value);
      this.writing.action(this.element, id, list, result);
      this.show(this.element);
    };
    const sources = this.sources();
    const kept = (value, known) => (value && !known.includes(value) ? [[value, said("前面步骤的结果（在别处设定，保持原样）", "what a step before brought (set elsewhere, and kept)")]] : []);
    return [
      field(said("做什么", "What it does"), select([NONE, ...this.choices.actions.map((one) => [one.id, label(one)])], operator?.id || "", (id) => write(id, given), "action")),
      ...(chosen?.parameters || []).map((one) => field(said(`${one.zh}取自`, `${one.en} comes from`),
        select([...(one.required ? [] : [NONE]), [one.id, said("流程中的同名数据", "what the flow calls so")], ...sources, ...kept(given[one.id], [one.id, ...sources.map(([path]) => path)])], given[one.id] || "", (value) => write(chosen.id, { ...given, [one.id]: value }), `parameter-${one.id}`))),
    ];
  }

  /** What earlier steps bring, for the parameters of an action. */
  sources() {
    return fields(this.steps, this.choices).map((one) => [one.path, one.text]);
  }

  time(object) {
    const timer = object.eventDefinitions?.find((one) => one.$type === "bpmn:TimerEventDefinition");
    if (!timer) return [];
    const write = (body) => this.writing.modeling.updateModdleProperties(this.element, timer, {
      timeDuration: body ? Object.assign(this.writing.factory.create("bpmn:FormalExpression", { body }), { $parent: timer }) : undefined });
    return [timer.timeDate || timer.timeCycle
      ? field(said("时间", "Time"), make("input", { value: (timer.timeDate || timer.timeCycle).body, readonly: true }), said("由别的工具设定，保持原样。", "Set with another tool, and kept as it is."))
      : this.duration("timer", said("等多久", "How long to wait"), timer.timeDuration?.body, write, durations.CLOCK)];
  }

  flow() {
    const steps = this.steps.all().filter((one) => is(one, "bpmn:UserTask")).map((one) => [one.id, nameOf(one) || kindOf(one)]);
    return [
      this.choice("starter", said("谁可以发起", "Who may start it"), [NONE, ...this.roles()]),
      this.choice("withdraw", said("发起人撤回", "Withdrawing"), [["", said("有人决定之前", "Until somebody has decided")], ["always", said("随时", "Always")], ["never", said("不可以", "Never")]]),
      this.choice("start_task", said("发起人更正的步骤", "The applicant's step"), [NONE, ...steps]),
    ];
  }
}

export function kindOf(element) {
  const kinds = [
    ["bpmn:UserTask", said("人工步骤", "A person's step")], ["bpmn:BusinessRuleTask", said("规则表", "Rule table")], ["bpmn:ServiceTask", said("自动步骤", "Automatic step")],
    ["bpmn:CallActivity", said("子流程", "Another flow")], ["bpmn:ParallelGateway", said("同时进行", "At the same time")], ["bpmn:InclusiveGateway", said("可多选的分支", "Branch, several ways")],
    ["bpmn:Gateway", said("分支", "Branch")], ["bpmn:SequenceFlow", said("分支", "Branch")], ["bpmn:StartEvent", said("开始", "Start")], ["bpmn:EndEvent", said("结束", "End")],
    ["bpmn:Event", said("等待", "Wait")], ["bpmn:Lane", said("泳道", "Lane")], ["bpmn:Process", said("整个流程", "The whole flow")],
  ];
  return kinds.find(([type]) => is(element, type))?.[1] || said("步骤", "Step");
}
