"""Thirty mistakes that a process owner can make in the shipped approval: how each is made, which step it is about."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.flows.versions import Papers
from tests.studio.edits import with_legal_review

Edit = Callable[[Papers], Papers]


@dataclass(frozen=True)
class Mistake:
    """`zh`, `en`: what the sentence must name. `element`: where the editor must jump."""

    rule: str
    element: str
    zh: str
    en: str
    make: Edit


def text(*pairs: tuple[str, str]) -> Edit:
    """The diagram with each first text replaced by the second, once."""

    def edit(papers: Papers) -> Papers:
        bpmn = papers.bpmn
        for old, new in pairs:
            assert old in bpmn, old
            bpmn = bpmn.replace(old, new, 1)
        return replace(papers, bpmn=bpmn)

    return edit


def legal(*pairs: tuple[str, str]) -> Edit:
    """The same, once 法务审核 has been inserted."""
    return lambda papers: text(*pairs)(replace(papers, bpmn=with_legal_review(papers.bpmn)))


def said(name: str, value: str) -> Edit:
    """法务审核 with one more property."""
    due = '<spiffworkflow:property name="dueIn" value="P2WD" />'
    return legal((due, f'{due}<spiffworkflow:property name="{name}" value="{value}" />'))


def table(*pairs: tuple[str, str]) -> Edit:
    def edit(papers: Papers) -> Papers:
        dmn = str(papers.tables["routing.dmn"])
        for old, new in pairs:
            assert old in dmn, old
            dmn = dmn.replace(old, new)
        return replace(papers, tables={"routing.dmn": dmn})

    return edit


def added(inside: str) -> Edit:
    """One more shape or flow in the process."""
    return text(("</bpmn:process>", f"{inside}</bpmn:process>"))


def task(kind: str, ident: str, name: str, inside: str = "", rest: str = "") -> Edit:
    """An automatic step between the import and the end."""
    return text(
        (
            '<bpmn:sequenceFlow id="register_to_done" sourceRef="register" targetRef="done" />',
            f'<bpmn:{kind} id="{ident}" name="{name}" {rest}>{inside}</bpmn:{kind}>'
            f'<bpmn:sequenceFlow id="to_it" sourceRef="register" targetRef="{ident}" />'
            f'<bpmn:sequenceFlow id="from_it" sourceRef="{ident}" targetRef="done" />',
        ),
        ("<bpmn:incoming>register_to_done</bpmn:incoming>", "<bpmn:incoming>from_it</bpmn:incoming>"),
        ("<bpmn:outgoing>register_to_done</bpmn:outgoing>", "<bpmn:outgoing>to_it</bpmn:outgoing>"),
        ('<bpmndi:BPMNEdge id="register_to_done_di" bpmnElement="register_to_done">', '<bpmndi:BPMNEdge id="e" bpmnElement="from_it">'),
    )  # fmt: skip


def form(name: str, value: Any) -> Edit:
    return lambda papers: replace(papers, forms={**papers.forms, name: value})


def without_table(papers: Papers) -> Papers:
    return replace(papers, tables={})


ROLE = '<spiffworkflow:property name="role" value="seal_office_head" />'
DUE = '<spiffworkflow:property name="dueIn" value="P2WD" />'
LEGAL, LEGAL_EN = "「法务审核」", "“Legal review”"
OFFICE_FLOW = "从「审核结论」到「需负责人审批？」的连线"
OFFICE_FLOW_EN = "the flow from “Reviewed?” to “Head needed?”"
MANY = "<bpmn:multiInstanceLoopCharacteristics />"
TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>{}</bpmn:timeDuration></bpmn:timerEventDefinition>"


def vote(**properties: str) -> Edit:
    """法务审核 as a vote."""
    inside = "".join(
        f'<spiffworkflow:property name="{name}" value="{value}" />' for name, value in properties.items()
    )
    return legal(
        (DUE, DUE + inside),
        (
            "<bpmn:outgoing>legal_to_reviewed</bpmn:outgoing>",
            f"<bpmn:outgoing>legal_to_reviewed</bpmn:outgoing>{MANY}",
        ),
    )


MISTAKES = [
    # who
    Mistake("role", "legal_review", LEGAL, LEGAL_EN, legal((ROLE, ""))),
    Mistake("role", "legal_review", LEGAL, LEGAL_EN, legal(("seal_office_head", "lawyer"))),
    Mistake("no_nobody", "legal_review", LEGAL, LEGAL_EN, legal(("seal_office_head", "unit_head"))),
    Mistake("vote", "legal_review", LEGAL, LEGAL_EN, vote(vote="ratio", voterRole="seal_office", share="150%")),
    Mistake("vote", "legal_review", LEGAL, LEGAL_EN, vote(vote="all")),
    Mistake("no_nobody", "legal_review", LEGAL, LEGAL_EN, vote(vote="all", voterRole="seal_office")),
    Mistake("own_hand", "review", "「印章管理部门审核」", "“Review by the seal office”", text(
        ('name="ownHand" value="true" />', 'name="ownHand" value="true" /><spiffworkflow:property name="repeat" value="pass" />'))),
    Mistake("own_hand", "review", "「印章管理部门审核」", "“Review by the seal office”", text(
        ('name="ownHand" value="true" />', 'name="ownHand" value="true" /><spiffworkflow:property name="onTimeout" value="pass" />'))),
    Mistake("no_name", "legal_review", "「印章管理部门审核」之后的步骤", "the step after “Review by the seal office”",
            legal(('name="法务审核"', ""), ('<spiffworkflow:property name="en" value="Legal review" />', ""))),
    # until when
    Mistake("no_due", "legal_review", LEGAL, LEGAL_EN, legal((DUE, ""))),
    Mistake("timer", "legal_review", LEGAL, LEGAL_EN, legal(("P2WD", "P0WD"))),
    Mistake("timer", "legal_review", LEGAL, LEGAL_EN, legal(("P2WD", "-P2D"))),
    Mistake("timer", "wait", "「等一等」", "“等一等”", task("intermediateCatchEvent", "wait", "等一等", TIMER.format("P2 days"))),
    Mistake("on_timeout", "legal_review", LEGAL, LEGAL_EN, said("onTimeout", "shout")),
    # which way
    Mistake("default", "reviewed", "「审核结论」", "“Reviewed?”", text((' default="reviewed_to_send_back_by_office"', ""))),
    Mistake("condition", "reviewed_to_needs_head", OFFICE_FLOW, OFFICE_FLOW_EN, text(
        ('<bpmn:conditionExpression>review.decision = "approve"</bpmn:conditionExpression>', ""))),
    Mistake("unknown_field", "reviewed_to_needs_head", OFFICE_FLOW, OFFICE_FLOW_EN, text(
        ("review.decision =", "review.verdict ="))),
    Mistake("unknown_choice", "reviewed_to_needs_head", OFFICE_FLOW, OFFICE_FLOW_EN, text(
        ('review.decision = "approve"', 'review.decision = "agree"'))),
    Mistake("feel", "reviewed_to_needs_head", OFFICE_FLOW, OFFICE_FLOW_EN, text(
        ('review.decision = "approve"', "review.decision = = 1"))),
    Mistake("language", "reviewed_to_needs_head", OFFICE_FLOW, OFFICE_FLOW_EN, text(
        ('review.decision = "approve"', "${review}"))),
    Mistake("unreachable", "legal_review", LEGAL, LEGAL_EN, legal(
        ('<bpmn:sequenceFlow id="review_to_legal" sourceRef="review" targetRef="legal_review" />', ""))),
    Mistake("unreachable", "one", "「甲」", "“甲”", added(
        '<bpmn:userTask id="one" name="甲" /><bpmn:userTask id="two" name="乙" />'
        '<bpmn:sequenceFlow id="a" sourceRef="one" targetRef="two" /><bpmn:sequenceFlow id="b" sourceRef="two" targetRef="one" />')),
    Mistake("dead_end", "legal_review", LEGAL, LEGAL_EN, legal(
        ('<bpmn:sequenceFlow id="legal_to_reviewed" sourceRef="legal_review" targetRef="reviewed" />', ""))),
    Mistake("no_way_out", "approve", "「批准申请」", "“Approve the application”", text(
        ('sourceRef="register" targetRef="done"', 'sourceRef="register" targetRef="approve"'))),
    Mistake("dangling", "agreed_to_approve", "「批准申请」", "“Approve the application”", text(
        ('sourceRef="agreed" targetRef="approve"', 'sourceRef="nowhere" targetRef="approve"'))),
    Mistake("split", "route", "「确定审批级别」", "“Decide the route”", added(
        '<bpmn:sequenceFlow id="a" sourceRef="route" targetRef="approve" />')),
    Mistake("start", "seal_approval", "「印章审批」", "“Seal approval”", text(
        ("<bpmn:startEvent ", "<bpmn:intermediateThrowEvent "), ("</bpmn:startEvent>", "</bpmn:intermediateThrowEvent>"))),
    Mistake("two_starts", "again", "2 个开始", "2 starts", added(
        '<bpmn:startEvent id="again" name="又一个" /><bpmn:sequenceFlow id="a" sourceRef="again" targetRef="route" />')),
    Mistake("no_end", "seal_approval", "流程没有结束", "no end", text(
        ("<bpmn:endEvent ", "<bpmn:intermediateThrowEvent "), ("</bpmn:endEvent>", "</bpmn:intermediateThrowEvent>"))),
    # what
    Mistake("form", "legal_review", LEGAL, LEGAL_EN, legal(
        ('name="form" value="review" />\n          <spiffworkflow:property name="dueIn" value="P2WD"', 'name="form" value="none" />\n          <spiffworkflow:property name="dueIn" value="P2WD"'))),
    Mistake("access_field", "legal_review", LEGAL, LEGAL_EN, said("fields", "opinion=read,amount=hide")),
    Mistake("access", "legal_review", LEGAL, LEGAL_EN, said("fields", "opinion=look")),
    Mistake("form", "review", "review", "review", form("review", {"title": {"zh": "审核", "en": "Review"}, "fields": [{"name": "X"}]})),
    Mistake("action", "pay", "「付款」", "“付款”", task("serviceTask", "pay", "付款")),
    Mistake("action", "approve", "「批准申请」", "“Approve the application”", text(
        ('id="seal_approval/approve_application"', 'id="seal_approval/approve_all"'))),
    Mistake("parameter", "approve", "「批准申请」", "“Approve the application”", text(
        ('<spiffworkflow:parameter id="application_id" type="any" value="application_id" />',
         '<spiffworkflow:parameter id="application_id" type="any" value="application_id" /><spiffworkflow:parameter id="colour" type="any" value="1" />'))),
    Mistake("unsupported", "calculate", "「算一算」", "“算一算”", task("scriptTask", "calculate", "算一算", "<bpmn:script>1+1</bpmn:script>")),
    Mistake("message", "hear", "「等回执」", "“等回执”", task("receiveTask", "hear", "等回执")),
    Mistake("call", "sub", "「子流程」", "“子流程”", task("callActivity", "sub", "子流程", rest='calledElement="no_such_flow"')),
    Mistake("self_call", "sub", "「再来一遍」", "“再来一遍”", task("callActivity", "sub", "再来一遍", rest='calledElement="seal_approval"')),
    Mistake("duplicate_id", "review", "「印章管理部门审核」", "“Review by the seal office”", legal(('id="legal_review"', 'id="review"'))),
    Mistake("reserved_id", "Start", "「收到申请」", "“Application received”", text(
        ('id="received" name', 'id="Start" name'), ('sourceRef="received"', 'sourceRef="Start"'), ("<bpmn:flowNodeRef>received<", "<bpmn:flowNodeRef>Start<"))),
    # which rule
    Mistake("decision", "route", "「确定审批级别」", "“Decide the route”", without_table),
    Mistake("table", "routing.dmn", "routing.dmn", "routing.dmn", table(("&gt; 1", "&gt; &gt; 1"))),
    Mistake("gap", "routing.dmn", "「审批级别」", "“审批级别”", table(
        ('hitPolicy="FIRST"', 'hitPolicy="FIRST"'),
        ('<inputEntry id="otherwise_level"><text>-<', '<inputEntry id="otherwise_level"><text>&lt; 1<'))),
    Mistake("overlap", "routing.dmn", "第 2、3 条", "Rules 2 and 3", table(('hitPolicy="FIRST"', 'hitPolicy="UNIQUE"'))),
]  # fmt: skip
