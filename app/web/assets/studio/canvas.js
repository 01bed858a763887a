// The drawing: bpmn.io's modeler with what a process owner needs and nothing else. Its mark stays, as the licence asks.
import BpmnRenderer from "bpmn-js/lib/draw/BpmnRenderer.js";
import Modeler from "bpmn-js/lib/Modeler.js";
import { is } from "bpmn-js/lib/util/ModelUtil.js";
import { descriptor, properties, Writing } from "./extensions.js";
import { outOf, Steps } from "./steps.js";
import { english, said } from "./words.js";

class Palette {
  static $inject = ["palette", "create", "elementFactory", "handTool", "globalConnect"];

  constructor(palette, create, factory, hand, connect) {
    Object.assign(this, { create, factory, hand, connect });
    palette.registerProvider(100, this);
  }

  getPaletteEntries() {
    const shape = (className, title, type, extra = {}) => {
      const start = (event) => {
        const made = this.factory.createShape({ type, ...extra });
        this.create.start(event, made);
      };
      return { group: "shapes", className, title, action: { dragstart: start, click: start } };
    };
    const entries = {
      hand: { group: "tools", className: "bpmn-icon-hand-tool", title: said("移动画布", "Move the canvas"), action: { click: (event) => this.hand.activateHand(event) } },
      connect: { group: "tools", className: "bpmn-icon-connection-multi", title: said("连线", "Connect"), action: { click: (event) => this.connect.start(event) } },
      person: shape("bpmn-icon-user-task", said("人工步骤", "A person's step"), "bpmn:UserTask"),
      table: shape("bpmn-icon-business-rule", said("规则表", "Rule table"), "bpmn:BusinessRuleTask"),
      action: shape("bpmn-icon-service", said("自动步骤", "Automatic step"), "bpmn:ServiceTask"),
      branch: shape("bpmn-icon-gateway-xor", said("分支", "Branch"), "bpmn:ExclusiveGateway"),
      together: shape("bpmn-icon-gateway-parallel", said("同时进行", "At the same time"), "bpmn:ParallelGateway"),
      wait: shape("bpmn-icon-intermediate-event-catch-timer", said("等待一段时间", "Wait for a time"), "bpmn:IntermediateCatchEvent", { eventDefinitionType: "bpmn:TimerEventDefinition" }),
      end: shape("bpmn-icon-end-event-none", said("结束", "End"), "bpmn:EndEvent"),
    };
    return (former) => {
      for (const key of Object.keys(former)) delete former[key];
      return { ...former, ...entries };
    };
  }
}

class Pad {
  static $inject = ["contextPad", "connect", "studioSteps", "eventBus"];

  constructor(pad, connect, steps, bus) {
    Object.assign(this, { connect, steps, bus });
    pad.registerProvider(100, this);
  }

  getContextPadEntries(element) {
    const entries = {};
    if (is(element, "bpmn:FlowNode") && outOf(element).length === 1) {
      entries.insert = { group: "edit", className: "studio-insert", title: said("在后面插入步骤", "Insert a step after"), action: { click: () => this.bus.fire("studio.insert", { flow: outOf(element)[0] }) } };
    }
    if (is(element, "bpmn:FlowNode") && !is(element, "bpmn:EndEvent")) {
      entries.connect = { group: "edit", className: "bpmn-icon-connection-multi", title: said("连到另一步", "Connect to another step"),
        action: { click: (event) => this.connect.start(event, element), dragstart: (event) => this.connect.start(event, element) } };
    }
    if (is(element, "bpmn:SequenceFlow") || (is(element, "bpmn:FlowNode") && this.steps.canRemove(element))) {
      entries.remove = { group: "edit", className: "bpmn-icon-trash", title: said("删除", "Remove"), action: { click: () => this.bus.fire("studio.remove", { element }) } };
    }
    return (former) => {
      for (const key of Object.keys(former)) delete former[key];
      return { ...former, ...entries };
    };
  }
}

/** Draws the names in English; those in the file stay as they are. */
class InEnglish extends BpmnRenderer {
  static $inject = [...BpmnRenderer.$inject, "config.roles"];

  constructor(config, bus, styles, paths, view, text, roles) {
    super(config, bus, styles, paths, view, text);
    const create = text.createText;
    const roleOf = (name) => roles.find((one) => one.zh === name)?.en; // a lane is named by its role
    text.createText = (words, options) => create((this.drawn && words && (properties(this.drawn).en || roleOf(words))) || words, options);
    bus.on("element.changed", ({ element }) => {
      for (const label of element.labels || []) bus.fire("element.changed", { element: label, gfx: view.getGraphics(label) });
    });
  }

  drawShape(parent, shape, attrs) {
    this.drawn = shape;
    return super.drawShape(parent, shape, attrs);
  }

  drawConnection(parent, connection, attrs) {
    this.drawn = null; // its name is a label, which is a shape
    return super.drawConnection(parent, connection, attrs);
  }
}

const WORDS = { "Task": "步骤", "Search in diagram": "在图中查找" };

export function canvas(container, roles) {
  return new Modeler({
    container,
    moddleExtensions: { spiffworkflow: descriptor },
    bpmnRenderer: { defaultFillColor: "var(--sheet)", defaultStrokeColor: "var(--ink)", defaultLabelColor: "var(--ink)" },
    roles,
    additionalModules: [{
      ...(english && { bpmnRenderer: ["type", InEnglish] }),
      __init__: ["studioPalette", "studioPad"],
      studioWriting: ["type", Writing],
      studioSteps: ["type", Steps],
      studioPalette: ["type", Palette],
      studioPad: ["type", Pad],
      translate: ["value", (text, values) => String(said(WORDS[text] || text, text)).replace(/{([^}]+)}/g, (all, key) => values?.[key] ?? all)],
    }],
  });
}
