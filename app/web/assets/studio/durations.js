// A duration as a number and a unit, and the text that the engine reads: 2 working days are P2WD.
import { said } from "./words.js";

export const WORKING = [["WD", said("个工作日", "working days")], ["WH", said("个工作小时", "working hours")], ["D", said("天", "days")], ["H", said("小时", "hours")]];
export const CLOCK = [["M", said("分钟", "minutes")], ["H", said("小时", "hours")], ["D", said("天", "days")], ["W", said("周", "weeks")]];

/** [number, unit]; null where it is more than one number and one unit, which is then kept as it stands. */
export function split(text) {
  if (!text) return ["", null];
  const found = /^P(T?)(\d+)(WD|WH|W|D|H|M)$/.exec(text);
  const clock = found && ["WH", "H", "M"].includes(found[3]);
  return found && Boolean(found[1]) === clock ? [found[2], found[3]] : null;
}

export const join = (number, unit) => (number ? `P${["WH", "H", "M"].includes(unit) ? "T" : ""}${number}${unit}` : "");
