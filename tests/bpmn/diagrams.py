"""Small diagrams for tests, written as lists of shapes and flows."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from app.bpmn.parse import Diagram, Program, parse, program

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:test">'
)


class Hands:
    """Acts as the houses would, and remembers what it was asked for."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers = answers

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        self.asked.append((operator, parameters))
        answer = self.answers.get(operator.rpartition("/")[2], {})
        return answer(**parameters) if callable(answer) else answer


def shape(kind: str, ident: str, inside: str = "", **attributes: str) -> str:
    said = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<bpmn:{kind} id="{ident}" name="{ident}"{said}>{inside}</bpmn:{kind}>'


def flow(source: str, target: str, condition: str | None = None) -> str:
    inside = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>" if condition else ""
    return (
        f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}'
        "</bpmn:sequenceFlow>"
    )


def properties(**values: str) -> str:
    said = "".join(
        f"<spiffworkflow:property name={quoteattr(name)} value={quoteattr(value)} />"
        for name, value in values.items()
    )
    return f"<spiffworkflow:properties>{said}</spiffworkflow:properties>"


def extensions(inside: str) -> str:
    return f"<bpmn:extensionElements>{inside}</bpmn:extensionElements>"


def action(ident: str, operator: str, result: str = "", **parameters: str) -> str:
    given = "".join(
        f'<spiffworkflow:parameter id="{name}" type="any" value={quoteattr(value)} />'
        for name, value in parameters.items()
    )
    kept = f' resultVariable="{result}"' if result else ""
    return shape(
        "serviceTask",
        ident,
        extensions(
            f'<spiffworkflow:serviceTaskOperator id="{operator}"{kept}>'
            f"<spiffworkflow:parameters>{given}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
        ),
    )


def bpmn(*parts: str, key: str = "p", after: str = "") -> bytes:
    return f'{HEAD}<bpmn:process id="{key}" isExecutable="true">{"".join(parts)}</bpmn:process>{after}</bpmn:definitions>'.encode()


def line(*middle: str, names: list[str]) -> bytes:
    """start → the shapes in a row → end."""
    chain = ["begin", *names, "finish"]
    flows = [flow(a, b) for a, b in itertools.pairwise(chain)]
    return bpmn(shape("startEvent", "begin"), *middle, shape("endEvent", "finish"), *flows)


def alone(data: bytes) -> Program:
    return program(parse(data), {})


def shipped() -> dict[str, Diagram]:
    """The diagrams of `workflows/`, parsed."""
    found: dict[str, Diagram] = {}
    for file in sorted(WORKFLOWS.glob("*/*.bpmn")):
        tables = {t.name: t.read_bytes() for t in file.parent.glob("*.dmn")}
        found[file.stem] = parse(file.read_bytes(), tables)
    return found
