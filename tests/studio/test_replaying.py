"""Stories both ways, versions held against each other, and where it takes long."""

from datetime import UTC, datetime, timedelta

from flask import Flask

from app.bpmn.parse import Program, parse
from app.bpmn.simulate import play
from app.clock import now
from app.db import db
from app.flows import publishing, versions
from app.flows.forms import form_of
from app.flows.models import FlowTask
from app.flows.versions import Papers
from app.studio import comparing, overview, replaying
from app.studio.durations import spoken
from tests.flows.test_views import apply
from tests.people.makers import Town
from tests.studio.edits import with_legal_review, with_threshold
from tests.studio.test_releasing import a_draft, publish

AT = datetime(2026, 11, 23, tzinfo=UTC)


def shipped() -> Papers:
    said = publishing.read_flow(publishing.FOLDER / "seal_approval")
    tables = {name: text.decode() for name, text in said.tables.items()}
    stories = publishing.stories_of("seal_approval")
    return Papers("seal_approval", said.bpmn.decode(), tables, said.forms, stories)


def changed(papers: Papers, bpmn: str = "", level: int = 1, **more: object) -> Papers:
    table = papers.tables["routing.dmn"]
    tables = {"routing.dmn": with_threshold(table, level) if level > 1 else table}
    forms = {**papers.forms, **more}
    return Papers(papers.key, bpmn or papers.bpmn, tables, forms, papers.stories)


def program(papers: Papers) -> Program:
    diagram = parse(papers.bpmn.encode(), {n: str(t).encode() for n, t in papers.tables.items()})
    return Program(diagram, {papers.key: diagram})


def routes(old: Papers, new: Papers) -> dict[str, replaying.Replay]:
    forms = {name: form_of(name, said) for name, said in new.forms.items()}
    found = replaying.replays(new.stories, program(old), program(new), forms, now=AT)
    return {replay.name: replay for replay in found}


def marked(route: replaying.Route | None) -> list[str]:
    assert route is not None
    return [f"{s.mark} {s.node}{' made up' if s.made_up else ''}" for s in route.stops if s.mark != "same"]


def test_a_story_goes_on_past_a_step_that_it_does_not_know():
    old = shipped()
    new = changed(old, with_legal_review(old.bpmn), level=2)
    found = routes(old, new)
    first = found["department_seal"]
    assert marked(first.old) == ["other route"]
    assert marked(first.new) == ["other route", "new legal_review made up", "new head_review made up"]
    assert first.new.end.en == "It comes to its end"
    assert marked(found["head_decides"].new) == ["new legal_review made up"] * 2
    same = routes(old, old)
    assert not any(replay.differs for replay in same.values()) and len(same) == 4


def test_a_step_that_is_gone_is_passed_over_and_what_stops_is_said():
    old = shipped()
    without = old.bpmn.replace(
        'sourceRef="needs_head" targetRef="head_review"', 'sourceRef="needs_head" targetRef="agreed"'
    )
    found = routes(old, changed(old, without))["head_decides"]
    assert [s.zh for s in found.new.skipped] == ["负责人审批", "修改申请", "印章管理部门审核", "负责人审批"]
    assert found.new.end.zh == "走到结束"
    played = play(program(old), {"data": {}, "story": []}, now=AT)
    assert played.stuck is None and "route" not in played.report()


def test_versions_are_held_against_each_other_by_the_names_of_steps():
    old = shipped()
    bpmn = (
        with_legal_review(old.bpmn)
        .replace('value="P2D"', 'value="P3WD"', 1)
        .replace('<dc:Bounds x="865" y="230"', '<dc:Bounds x="900" y="230"')
    )
    form = {**old.forms["review"], "fields": [*old.forms["review"]["fields"][:1], {"name": "day", "type": "date", "label": {"zh": "日期", "en": "Day"}}]}  # fmt: skip
    new = changed(old, bpmn, level=2, review=form)

    def told(one: Papers, other: Papers) -> list[str]:
        found = comparing.compare(one, other, program(one), program(other))
        return [f"{d.kind} {d.what.zh} {'；'.join(h.zh for h in d.how)}".strip() for d in found]

    assert told(old, new) == [
        "added 「法务审核」",
        "changed 「印章管理部门审核」 时限：2 天 → 3 个工作日；出线及条件",
        "changed 规则表「审批级别」第 2 条 单位层级（1 为最高）：> 1 → > 2",
        "changed 表单「印章管理部门审核」 新增字段“日期”；去掉字段“审批意见”",
        "moved 「批准申请」",
    ]
    assert told(new, old)[0] == "removed 「法务审核」"
    assert told(old, old) == []
    assert spoken("P1WDT4WH").zh == "1 个工作日4 个工作小时" and spoken("PT30M").en == "30 minutes"
    assert spoken("soon").zh == "soon"


def test_the_owner_sees_what_runs_by_which_version_and_where_it_takes_long(app: Flask, people_here: Town):
    owner = people_here.actor("owner")
    first = apply(people_here, 7)
    publish(a_draft(owner), owner)
    apply(people_here, 8)
    task = db.session.query(FlowTask).filter_by(instance_id=first).one()
    task.status, task.done_at, task.created_at = "done", now(), now() - timedelta(hours=30)
    db.session.commit()

    row = overview.flow_row("seal_approval")

    assert [(v.version, v.state, v.running) for v in row.versions] == [(2, "now", 1), (1, "earlier", 1)]
    waits = overview.waiting(versions.version("seal_approval"))
    slowest, *others = waits
    assert (slowest.node, slowest.done, slowest.open, slowest.degree) == ("review", 1, 1, 4)
    assert slowest.average is not None and abs(slowest.average - timedelta(hours=30)) < timedelta(minutes=1)
    assert {w.node for w in others} == {"legal_review", "head_review", "correct"}
