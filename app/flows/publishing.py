"""The folder of flows on disk: read, checked as a whole, in an order where what is called comes first.

Looks at files only; knows no tables. `workflows/` is read as data, never imported from here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bpmn import decision
from app.bpmn.lint import Problem, Surroundings, lint
from app.bpmn.parse import Diagram, parse, refuse_if_wrong
from app.bpmn.reading import read
from app.flows.action import ACTIONS
from app.flows.forms import form_of
from app.glossary import ROLES, role_of_lane
from app.refusal import Invalid

FOLDER = Path(__file__).resolve().parents[2] / "workflows"


@dataclass(frozen=True)
class FlowFiles:
    """One flow as its folder holds it: folder = process id = file stem."""

    key: str
    bpmn: bytes
    tables: Mapping[str, bytes]
    forms: Mapping[str, Any]
    diagram: Diagram


def read_folder(folder: Path | None = None) -> list[FlowFiles]:
    """Every flow, called ones before those that call them. Refuses `Invalid` with what is wrong."""
    base = folder or FOLDER
    names = sorted(path.parent.name for path in base.glob("*/*.bpmn") if path.stem == path.parent.name)
    read_flows = {name: read_flow(base / name) for name in names}
    for said in read_flows.values():
        refuse_if_wrong(check(said.bpmn, said.tables, frozenset(said.forms), frozenset(names)))
    return _called_first(read_flows)


def read_flow(folder: Path) -> FlowFiles:
    bpmn = (folder / f"{folder.name}.bpmn").read_bytes()
    tables = {path.name: path.read_bytes() for path in sorted(folder.glob("*.dmn"))}
    forms = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("forms/*.json"))}
    for name, said in forms.items():
        form_of(name, said)
    diagram = parse(bpmn, tables)
    if diagram.key != folder.name:
        raise Invalid(
            "diagram.folder",
            zh=f"文件夹「{folder.name}」里的流程标识是「{diagram.key}」，两者必须一致",
            en=f'the folder "{folder.name}" holds the process "{diagram.key}"; the two must be the same',
        )
    return FlowFiles(folder.name, bpmn, tables, forms, diagram)


def stories_of(key: str) -> dict[str, str]:
    """The example stories of one of our flows: name → YAML."""
    found = sorted((FOLDER / key / "scenarios").glob("*.yaml"))
    return {path.stem: path.read_text("utf-8") for path in found}


def check(
    bpmn: bytes, tables: Mapping[str, bytes], forms: frozenset[str], flows: frozenset[str]
) -> list[Problem]:
    """Every problem by the engine's rules and by the house's."""
    decisions = frozenset(ident for content in tables.values() for ident in decision.parse(content).ids)
    around = Surroundings(
        actions={name: (action.needed, action.allowed) for name, action in ACTIONS.items()},
        forms=forms,
        decisions=decisions,
        flows=flows,
        role_of_lane=role_of_lane,
        roles=frozenset(ROLES),
        strict=True,
    )
    return lint(read(bpmn), around)


def _called_first(flows: Mapping[str, FlowFiles]) -> list[FlowFiles]:
    ordered: list[FlowFiles] = []
    seen: set[str] = set()

    def visit(key: str) -> None:
        if key in seen or key not in flows:
            return
        seen.add(key)
        for called in sorted(flows[key].diagram.calls):
            visit(called)
        ordered.append(flows[key])

    for key in flows:
        visit(key)
    return ordered
