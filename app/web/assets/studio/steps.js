// The steps of a flow in the order in which they are done; inserting, moving and removing one, flows and room seen to.
import { is } from "bpmn-js/lib/util/ModelUtil.js";

const WIDE = 100;
const ROOM = 160;
const flows = (list) => list.filter((one) => is(one, "bpmn:SequenceFlow"));
export const into = (shape) => flows(shape.incoming || []);
export const outOf = (shape) => flows(shape.outgoing || []);
export const isStep = (shape) => is(shape, "bpmn:FlowNode") && !shape.labelTarget && shape.type !== "label";
const middle = (shape) => ({ x: shape.x + shape.width / 2, y: shape.y + shape.height / 2 });

export class Steps {
  static $inject = ["elementRegistry", "modeling", "elementFactory", "canvas", "commandStack", "spaceTool", "studioWriting"];

  constructor(registry, modeling, factory, canvas, commands, spaceTool, writing) {
    Object.assign(this, { registry, modeling, factory, canvas, commands, spaceTool, writing });
    commands.registerHandler("studio.together", class {
      preExecute(context) {
        context.done = context.run();
      }
    });
  }

  /** Whatever `run` changes is undone at once. */
  together(run) {
    const context = { run };
    this.commands.execute("studio.together", context);
    return context.done;
  }

  /** Every step, those that come first before the others; a branch that leads back does not count. */
  all() {
    const shapes = this.registry.filter((one) => isStep(one));
    const done = new Set();
    const order = [];
    const visit = (shape) => {
      if (done.has(shape)) return;
      done.add(shape);
      const onward = [...outOf(shape).map((flow) => flow.target), ...(shape.attachers || [])];
      for (const next of onward.filter(Boolean).sort((a, b) => b.y - a.y || b.x - a.x)) visit(next);
      order.unshift(shape);
    };
    const starts = shapes.filter((one) => is(one, "bpmn:StartEvent"));
    for (const shape of [...shapes.filter((one) => !starts.includes(one)).reverse(), ...starts]) if (!into(shape).length && !shape.host) visit(shape);
    for (const shape of shapes) visit(shape);
    return order;
  }

  /** A free id that people never see: it is the name under which the step's form is kept. */
  freeId(kind = "step") {
    let n = 1;
    while (this.registry.get(`${kind}_${n}`)) n += 1;
    return `${kind}_${n}`;
  }

  /** A new step on a flow. */
  insert(flow, { type = "bpmn:UserTask", name = "", said = {} } = {}) {
    return this.together(() => {
      const at = this.makeRoom(flow);
      const shape = this.factory.createShape({ type });
      shape.businessObject.id = this.freeId();
      shape.id = shape.businessObject.id;
      shape.businessObject.name = name;
      const made = this.modeling.createShape(shape, at, this.canvas.getRootElement());
      this.splice(made, flow);
      if (Object.keys(said).length) this.writing.set(made, said);
      return made;
    });
  }

  /** Let a flow lead to `shape`, and a new one on from there. */
  splice(shape, flow) {
    const target = flow.target;
    this.modeling.reconnectEnd(flow, shape, middle(shape));
    const onward = this.modeling.connect(shape, target, { type: "bpmn:SequenceFlow" });
    for (const one of [flow, onward]) this.modeling.layoutConnection(one);
  }

  /** Where a step on this flow stands: before what follows, which moves to the right where it is too near. */
  makeRoom(flow) {
    const { source, target } = flow;
    const end = source.x + source.width;
    const sameRow = Math.abs(middle(source).y - middle(target).y) < 30;
    if (target.x < end && !(target.x >= source.x)) {
      this.shift(end + 1, ROOM); // the flow leads back
      return { x: end + 50 + WIDE / 2, y: middle(source).y };
    }
    const gap = sameRow ? target.x - end : 0;
    const left = sameRow ? end : target.x - 50;
    if (gap < WIDE + 80) this.shift(sameRow ? end + 1 : target.x - 10, ROOM);
    return { x: (left + target.x) / 2, y: middle(target).y };
  }

  shift(from, by) {
    const shapes = this.canvas.getRootElement().children.filter((one) => !one.waypoints && !one.host && one.type !== "label");
    const moving = shapes.filter((one) => !is(one, "bpmn:Lane") && one.x >= from);
    const lanes = shapes.filter((one) => is(one, "bpmn:Lane") && one.x + one.width > from);
    const words = this.canvas.getRootElement().children.filter((one) => one.labelTarget?.waypoints && one.x >= from);
    const attached = moving.flatMap((one) => [...(one.attachers || []), ...(one.labels || [])]);
    this.spaceTool.makeSpace([...new Set([...moving, ...words, ...attached, ...moving.flatMap((one) => one.attachers?.flatMap((a) => a.labels || []) || [])])], lanes, { x: by, y: 0 }, "e", from);
  }

  canRemove(shape) {
    return !is(shape, "bpmn:StartEvent") && (shape.host || outOf(shape).length <= 1);
  }

  /** Take a step away; what led to it leads on to what followed. */
  remove(shape) {
    return this.together(() => {
      this.bridge(shape);
      this.modeling.removeShape(shape);
    });
  }

  bridge(shape) {
    const [onward] = outOf(shape);
    if (!onward) return;
    const target = onward.target;
    this.modeling.removeConnection(onward);
    for (const flow of into(shape)) {
      if (flow.source === target) this.modeling.removeConnection(flow);
      else {
        this.modeling.reconnectEnd(flow, target, middle(target));
        this.modeling.layoutConnection(flow);
      }
    }
  }

  /** The flow that a step would go onto, one place earlier (-1) or later (1); null where there is none. */
  place(shape, by) {
    if (shape.host || !is(shape, "bpmn:Task") && !is(shape, "bpmn:CallActivity")) return null;
    const mine = outOf(shape);
    if (mine.length !== 1 || !into(shape).length) return null;
    if (by > 0) {
      const next = mine[0].target;
      return outOf(next)[0] || null;
    }
    const before = into(shape)[0].source;
    return into(before).find((flow) => flow.source !== shape) || null;
  }

  move(shape, by) {
    const flow = this.place(shape, by);
    if (!flow) return;
    this.together(() => {
      const neighbour = by > 0 ? flow.source : flow.target;
      const next = by > 0 ? outOf(shape)[0] : outOf(neighbour)[0];
      const adjacent = next.source === (by > 0 ? shape : neighbour) && next.target === (by > 0 ? neighbour : shape);
      const alone = is(neighbour, "bpmn:Task") && is(shape, "bpmn:Task");
      this.bridge(shape);
      if (alone && adjacent) {
        const [mine, theirs] = [middle(shape), middle(neighbour)];
        this.modeling.moveShape(shape, { x: theirs.x - mine.x, y: theirs.y - mine.y });
        this.modeling.moveShape(neighbour, { x: mine.x - theirs.x, y: mine.y - theirs.y });
      } else {
        const at = this.makeRoom(flow);
        const from = middle(shape);
        this.modeling.moveShape(shape, { x: at.x - from.x, y: at.y - from.y });
      }
      this.splice(shape, flow);
      for (const one of [...into(shape), ...outOf(shape), ...into(neighbour), ...outOf(neighbour)]) this.modeling.layoutConnection(one);
    });
  }

  /** Let each lane list the steps that are drawn in it: the editor's library sees to that only within pools. */
  keepLanes() {
    const lanes = this.registry.filter((one) => is(one, "bpmn:Lane"));
    if (!lanes.length || lanes.some((one) => is(one.parent, "bpmn:Participant"))) return;
    const holding = new Map(lanes.map((lane) => [lane, []]));
    for (const shape of this.registry.filter((one) => isStep(one) && one.parent === this.canvas.getRootElement())) {
      const at = middle(shape);
      const lane = lanes.find((one) => at.x >= one.x && at.x <= one.x + one.width && at.y >= one.y && at.y <= one.y + one.height)
        || lanes.find((one) => one.businessObject.get("flowNodeRef").includes(shape.businessObject));
      if (lane) holding.get(lane).push(shape.businessObject);
    }
    for (const [lane, nodes] of holding) {
      const before = lane.businessObject.get("flowNodeRef");
      lane.businessObject.flowNodeRef = [...before.filter((one) => nodes.includes(one)), ...nodes.filter((one) => !before.includes(one))];
    }
  }
}
