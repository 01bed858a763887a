"""What an operator may not do about a step of one's own hand (本人亲办, B4): neither pass it nor say what it said. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from app.bpmn.parse import Node, Program
from app.refusal import Conflict


def steps(program: Program) -> Iterator[Node]:
    for diagram in program.diagrams.values():
        yield from (node for node in diagram.nodes.values() if node.properties.get("ownHand") == "true")


def check_correction(program: Program, names: Iterable[str]) -> None:
    """Refuses `Conflict`: a value that is to be corrected is what somebody said by their own hand."""
    said = {node.id: node for node in steps(program)}
    for name in names:
        if name in said:
            label = said[name].label
            raise Conflict(
                "flow.own_hand",
                zh=f"「{label.zh}」须本人亲办，其结论不能由他人更正。请退回到这一步，由本人重新办理。",
                en=f'"{label.en}" is done by one\'s own hand, so nobody else corrects what was said there. Send the flow '
                "back to it.",
                node=name,
            )


def check_mapping(before: Program, after: Program, names: Mapping[str, str]) -> None:
    """Refuses `Conflict`: what is done by one's own hand may get another id; nothing else takes its place."""
    there = {node.id for node in steps(after)}
    known = {ident for diagram in after.diagrams.values() for ident in diagram.nodes}
    for node in steps(before):
        target = names.get(node.id, node.id)
        if target != node.id and (target not in there or node.id in known):
            raise Conflict(
                "flow.own_hand",
                zh=f"「{node.label.zh}」须本人亲办，迁移时不能用别的步骤代替它。",
                en=f'"{node.label.en}" is done by one\'s own hand; no other step takes its place when a flow is moved.',
                node=node.id,
            )
