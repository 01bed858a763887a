// The rule table by keyboard: Alt with an arrow goes to the cell beside, above or below.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.(".rules td");
  if (!cell || !event.altKey || !STEPS[event.key]) return;
  const [down, right] = STEPS[event.key];
  const row = cell.parentElement.parentElement.rows[cell.parentElement.rowIndex - 1 + down];
  const next = row?.cells[cell.cellIndex + right];
  const field = next?.querySelector("select, input, button");
  if (field) {
    event.preventDefault();
    field.focus();
  }
});
