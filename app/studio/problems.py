"""What is wrong with a draft, for the person who draws it: one sentence that names the step, and the remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.bpmn import decision
from app.bpmn.decision.coverage import flaws
from app.bpmn.lint import Surroundings, lint
from app.bpmn.reading import Element, read, xpath
from app.clock import now
from app.flows import forms as flow_forms
from app.flows import queries as flows
from app.flows import versions
from app.flows.action import ACTIONS
from app.flows.forms import Form
from app.glossary import ROLES, role_of_lane
from app.people import queries as people
from app.refusal import NotFound, Refusal
from app.studio import checks, stories, words
from app.studio.models import StudioDraft
from app.studio.naming import Names
from app.text import Text

Place = Literal["diagram", "table", "form", "story"]


@dataclass(frozen=True)
class Trouble:
    """One problem. `element`: the id of the shape or flow, or the file's name where `place` is another paper."""

    element: str
    rule: str
    severity: Literal["error", "advice"]
    text: Text
    remedy: Text
    place: Place = "diagram"

    def as_json(self) -> dict[str, Any]:
        return {
            "element": self.element,
            "rule": self.rule,
            "severity": self.severity,
            "place": self.place,
            "zh": self.text.zh,
            "en": self.text.en,
            "remedy_zh": self.remedy.zh,
            "remedy_en": self.remedy.en,
        }


@dataclass
class _Beside:
    """What the other papers offer the diagram, and what is wrong with them."""

    troubles: list[Trouble] = field(default_factory=list[Trouble])
    forms: dict[str, Form] = field(default_factory=dict[str, Form])
    outputs: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    inputs: set[str] = field(default_factory=set[str])


def of_draft(draft: StudioDraft) -> list[Trouble]:
    """Every problem of a draft, those that keep it from being published first."""
    return of_papers(versions.Papers(draft.key, draft.bpmn, draft.tables, draft.forms, draft.scenarios))


def of_papers(papers: versions.Papers) -> list[Trouble]:
    found = sorted(_of_papers(papers), key=lambda trouble: trouble.severity != "error")
    return list({(t.element, t.text): t for t in reversed(found)}.values())[::-1]


def _of_papers(papers: versions.Papers) -> Iterator[Trouble]:
    beside = _beside(papers)
    yield from beside.troubles
    try:
        root = read(papers.bpmn.encode())
    except Refusal as refusal:
        remedy = Text("从已发布的版本重新新建草稿", "Start another draft from a published version")
        yield Trouble("", "unreadable", "error", refusal.text, remedy)
        return
    told = list(_of_diagram(root, papers, beside))
    yield from told
    if not any(t.severity == "error" for t in [*told, *beside.troubles]):
        yield from _runs(papers)


def _of_diagram(root: Element, papers: versions.Papers, beside: _Beside) -> Iterator[Trouble]:
    names = Names(root)
    keys = [str(e.get("id")) for e in xpath(root, "/bpmn:definitions/bpmn:process")]
    if keys and papers.key not in keys:
        yield Trouble(
            keys[0],
            "other_key",
            "error",
            Text(f"流程的内部标识应是“{papers.key}”，不是“{keys[0]}”", f"The flow's inner id is “{papers.key}”, not “{keys[0]}”"),
            Text("从已发布的版本重新新建草稿", "Start another draft from a published version"),
        )  # fmt: skip
    for problem in lint(root, _surroundings(papers, beside)):
        said = words.told(problem, names)
        fatal = problem.fatal or problem.rule in words.STRICTER
        if said is not None:
            yield Trouble(problem.element, problem.rule, "error" if fatal else "advice", *said)
    around = checks.Around(
        papers.key,
        beside.forms,
        beside.outputs,
        checks.data_of(stories.read_all(papers.stories)) | beside.inputs,
        people.roles_held(),
    )
    for found in checks.found(root, around):
        severity = "error" if found.problem.fatal else "advice"
        yield Trouble(found.problem.element, found.problem.rule, severity, found.text, found.remedy)


def _surroundings(papers: versions.Papers, beside: _Beside) -> Surroundings:
    return Surroundings(
        actions={name: (action.needed, action.allowed) for name, action in ACTIONS.items()},
        forms=frozenset(papers.forms),
        decisions=frozenset(beside.outputs),
        flows=frozenset(key for key, _ in flows.flow_labels()) | {papers.key},
        role_of_lane=role_of_lane,
        roles=frozenset(ROLES),
        strict=True,
    )


def _runs(papers: versions.Papers) -> Iterator[Trouble]:
    """What only shows when the papers are put together."""
    try:
        versions.program_at(papers, now())
    except (Refusal, NotFound) as refusal:
        remedy = Text(
            "改调用的流程，使它们不互相调用",
            "Change what is called, so that no flow calls itself by a detour",
        )
        element = str(refusal.details.get("element", ""))
        yield Trouble(element, refusal.code, "error", refusal.text, remedy)


def _beside(papers: versions.Papers) -> _Beside:
    found = _Beside()
    for name, said in papers.forms.items():
        try:
            found.forms[name] = flow_forms.form_of(name, said)
        except Refusal as refusal:
            remedy = Text("在表单设计中更正，或删去这张表单", "Correct the form, or remove it")
            found.troubles.append(Trouble(name, "form", "error", refusal.text, remedy, "form"))
    for name, text in papers.tables.items():
        found.troubles += _of_table(name, str(text).encode(), found)
    for name, wrong in stories.faults(papers.stories).items():
        remedy = Text("更正或删去这个示例", "Correct the story, or remove it")
        found.troubles.append(Trouble(name, "story", "error", wrong, remedy, "story"))
    return found


def _of_table(name: str, content: bytes, beside: _Beside) -> Iterator[Trouble]:
    try:
        model = decision.parse(content)
        known = read(content)
        told = flaws(content)
    except (decision.DecisionError, Refusal) as error:
        remedy = Text("在规则表中更正标出的格子", "Correct the cell that is named, in the rule table")
        text = Text(f"规则表 {name}：{error.text.zh}", f"The rule table {name}: {error.text.en}")
        yield Trouble(name, "table", "error", text, remedy, "table")
        return
    for table in known.iter("{*}decision"):
        outputs = [str(o.get("name") or "") for o in table.iter("{*}output")]
        for ident in {str(table.get("id")), str(table.get("name"))} & model.ids:
            beside.outputs[ident] = frozenset(outputs) if len(outputs) > 1 or outputs != [""] else frozenset()
    texts = known.xpath("//*[local-name()='inputExpression']/*[local-name()='text']")
    beside.inputs.update(str(e.text or "").strip() for e in texts)
    for flaw in told:
        yield Trouble(
            name, flaw.kind, "error" if flaw.sure else "advice", flaw_words(flaw), _REMEDY[flaw.kind], "table"
        )


def flaw_words(flaw: Any) -> Text:
    if flaw.kind == "unchecked":
        return Text(
            f"规则表「{flaw.table}」太大，无法全部检查是否有空缺",
            f"The rule table “{flaw.table}” is too large to be checked wholly for gaps",
        )
    if flaw.kind == "gap":
        return Text(
            f"规则表「{flaw.table}」有空缺：{flaw.where.zh}时没有规则",
            f"The rule table “{flaw.table}” has a gap: no rule where {flaw.where.en}",
        )
    zh = "、".join(str(n) for n in flaw.rules)
    en = " and ".join(str(n) for n in flaw.rules)
    return Text(
        f"规则表「{flaw.table}」的第 {zh} 条规则重叠：{flaw.where.zh}时都适用",
        f"Rules {en} of the table “{flaw.table}” overlap: all apply where {flaw.where.en}",
    )


_REMEDY: Mapping[str, Text] = {
    "gap": Text("补一条规则，或在最后加一条“其余情形”", "Add a rule for it, or a last rule for whatever else"),
    "unchecked": Text("在最后加一条“其余情形”，或设默认结果", "Add a last rule for whatever else, or a default result"),
    "overlap": Text("改其中一条规则的条件，或把命中方式改为“取第一条”", "Change one of them, or let the first rule that fits decide"),
}  # fmt: skip
