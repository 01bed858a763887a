// The extensions of SpiffWorkflow that the engine reads, as moddle describes them, and reading and writing them.
import { getBusinessObject } from "bpmn-js/lib/util/ModelUtil.js";
import { english } from "./words.js";

const text = (name) => ({ name, isAttr: true, type: "String" });
const body = (name) => ({ name, superClass: ["Element"], properties: [{ name: "value", isBody: true, type: "String" }] });

export const descriptor = {
  name: "spiffworkflow",
  prefix: "spiffworkflow",
  uri: "http://spiffworkflow.org/bpmn/schema/1.0/core",
  xml: { tagAlias: "lowerCase" },
  types: [
    { name: "Properties", superClass: ["Element"], properties: [{ name: "properties", type: "Property", isMany: true }] },
    { name: "Property", superClass: ["Element"], properties: [text("name"), text("value")] },
    body("CalledDecisionId"),
    body("MessageVariable"),
    { name: "ServiceTaskOperator", superClass: ["Element"], properties: [text("id"), text("resultVariable"), { name: "parameters", type: "Parameters" }] },
    { name: "Parameters", superClass: ["Element"], properties: [{ name: "parameters", type: "Parameter", isMany: true }] },
    { name: "Parameter", superClass: ["Element"], properties: [text("id"), text("type"), text("value")] },
  ],
};

export const extension = (element, type) =>
  getBusinessObject(element).extensionElements?.get("values").find((one) => one.$type === `spiffworkflow:${type}`);

export function properties(element) {
  const found = extension(element, "Properties")?.get("properties") || [];
  return Object.fromEntries(found.map((one) => [one.name, one.value]));
}

/** What a shape or flow is called in the page's language; empty where it has no name. */
export const nameOf = (element) => (english && properties(element).en) || getBusinessObject(element).name || "";

export class Writing {
  static $inject = ["modeling", "bpmnFactory"];

  constructor(modeling, bpmnFactory) {
    this.modeling = modeling;
    this.factory = bpmnFactory;
  }

  /** Put an extension in the place of the one of the same type; null takes it away. */
  extend(element, type, made) {
    const object = getBusinessObject(element);
    const values = (object.extensionElements?.get("values") || []).filter((one) => one.$type !== `spiffworkflow:${type}`);
    const container = this.factory.create("bpmn:ExtensionElements", { values: made ? [...values, made] : values });
    for (const one of container.values) one.$parent = container;
    container.$parent = object;
    this.modeling.updateModdleProperties(element, object, { extensionElements: container.values.length ? container : undefined });
  }

  /** Set properties of a shape in one step of undo; an empty one is taken away. */
  set(element, changes) {
    const now = { ...properties(element), ...changes };
    const list = Object.entries(now)
      .filter(([, value]) => value !== "" && value !== null && value !== undefined)
      .map(([name, value]) => this.factory.create("spiffworkflow:Property", { name, value: String(value) }));
    const made = this.factory.create("spiffworkflow:Properties", { properties: list });
    for (const one of list) one.$parent = made;
    this.extend(element, "Properties", list.length ? made : null);
  }

  /** A text kept in an element of its own: the rule table that is asked. */
  body(element, type, value) {
    this.extend(element, type, value ? this.factory.create(`spiffworkflow:${type}`, { value }) : null);
  }

  /** The action of an automatic step, and where each of its parameters comes from. */
  action(element, id, parameters, resultVariable) {
    const list = parameters.map((one) => this.factory.create("spiffworkflow:Parameter", { type: "any", ...one }));
    const within = this.factory.create("spiffworkflow:Parameters", { parameters: list });
    const made = this.factory.create("spiffworkflow:ServiceTaskOperator", { id, parameters: within });
    if (resultVariable) made.resultVariable = resultVariable;
    within.$parent = made;
    for (const one of list) one.$parent = within;
    this.extend(element, "ServiceTaskOperator", made);
  }

  /** A BPMN element below a shape's, such as a condition. */
  below(element, type, attributes) {
    const made = this.factory.create(type, attributes);
    made.$parent = getBusinessObject(element);
    return made;
  }

  update(element, changes) {
    this.modeling.updateProperties(element, changes);
  }
}
