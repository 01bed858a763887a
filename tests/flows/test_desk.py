"""The list of the inbox: in pages, filtered, counted by the database; and several tasks decided with one word."""

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM
from app.audit.models import LogEntry
from app.clock import now
from app.db import db
from app.flows import commands, desk, handing, queries, substituting
from app.flows.models import FlowInstance, FlowTask, FlowTaskCandidate
from app.flows.wanted import DUE, WHOSE, Place, Wanted
from app.people import commands as people_commands
from app.people.queries import actor_of
from app.settings import Settings
from tests.bpmn.diagrams import extensions, line, properties, shape
from tests.conftest import settings_for
from tests.flows.makers import Hands
from tests.flows.test_views import logged_in
from tests.people.makers import PASSWORD
from tests.people.makers import Town as People
from tests.people.makers import town as register_people

REVIEW = Path("workflows/seal_approval/forms/review.json")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def people(app: Flask, hands: Hands, tmp_path: Path) -> People:
    return publish(tmp_path)


def publish(tmp_path: Path) -> People:
    """A flow whose first step may be decided together, and whose second is done by one's own hand; and the people."""
    steps = {
        "look": {"batch": "yes", "form": "review", "dueIn": "P1D", "en": "Look"},
        "sign": {"ownHand": "true", "form": "review", "en": "Sign"},
    }
    drawn = [shape("userTask", n, extensions(properties(role="seal_office", **s))) for n, s in steps.items()]
    home = tmp_path / "flows" / "p"
    (home / "forms").mkdir(parents=True)
    (home / "p.bpmn").write_bytes(line(*drawn, names=list(steps)))
    (home / "forms" / "review.json").write_bytes(REVIEW.read_bytes())
    commands.load_files(folder=tmp_path / "flows", by=SYSTEM)
    return register_people()


def start(people: People, count: int) -> list[int]:
    """So many flows by the clerk; gives the tasks, in the order in which they arrived."""
    clerk = actor_of(people.people["clerk"])
    flows = [commands.start("p", {}, business_key=f"b/{n}", by=clerk).instance_id for n in range(count)]
    return [db.session.scalars(sa.select(FlowTask.id).where(FlowTask.instance_id == i)).one() for i in flows]


def copies_of(task_id: int, count: int) -> None:
    """So many flows that stand where this one does, only to be read."""
    task = db.session.get_one(FlowTask, task_id, populate_existing=True)
    rows = (FlowInstance, db.session.get_one(FlowInstance, task.instance_id)), (FlowTask, task)
    instance, kept = ({c.name: getattr(r, c.name) for c in m.__table__.c if c.name != "id"} for m, r in rows)
    filed = queries.candidates(task_id)
    for _ in range(count):
        flow = db.session.scalar(sa.insert(FlowInstance).values(**instance).returning(FlowInstance.id))
        there = {**kept, "instance_id": flow}
        made = db.session.scalar(sa.insert(FlowTask).values(**there).returning(FlowTask.id))
        db.session.execute(
            sa.insert(FlowTaskCandidate), [dict(task_id=made, role=c.role, unit_id=c.unit_id) for c in filed]
        )
    db.session.commit()


def due(task_id: int, days: float | None) -> None:
    at = now() + timedelta(days=days) if days is not None else None
    db.session.execute(sa.update(FlowTask).where(FlowTask.id == task_id).values(due_at=at))
    db.session.commit()


def test_pages_follow_each_other_without_gap_or_double_in_both_orders(people: People):
    office, tasks = people.actor("office"), start(people, 7)
    for ident, days in zip(tasks, (2, None, 1, 1, None, -1, 2), strict=True):
        due(ident, days)
    db.session.execute(sa.update(FlowTask).where(FlowTask.id.in_(tasks[2:4])).values(due_at=now()))
    db.session.commit()
    reach = queries.theirs(office)

    def walked(wanted: Wanted) -> list[int]:
        found, after = list[int](), None
        while True:
            page = desk.page(reach, office, wanted, after, size=2)
            found += [row.id for row in page.rows]
            if page.after is None:
                return found
            after = Place.of(str(page.after))

    a, b, c, d, e, f, g = tasks
    assert walked(Wanted()) == [f, c, d, a, g, b, e]
    assert walked(Wanted(sort="arrived")) == tasks[::-1]


def test_every_count_is_what_its_filter_leaves_beside_the_others(people: People):
    office, clerk = people.actor("office"), people.actor("clerk")
    tasks = start(people, 5)
    for ident, days in zip(tasks, (-1, 0.001, 1, None, 30), strict=True):
        due(ident, days)
    commands.claim(tasks[0], by=office)
    away = people_commands.register_user("away", "某away", people.top, PASSWORD, by=SYSTEM).user_id
    people_commands.appoint(away, "seal_office", by=SYSTEM)
    commands.claim(tasks[1], by=actor_of(away))
    commands.claim(tasks[2], by=actor_of(away))
    handing.ask(tasks[2], people.people["office"], "编号对吗", by=actor_of(away))
    days = dict(begins=now(), ends=now() + timedelta(days=3))
    substituting.substitute(away, people.people["office"], **days, reason="出差", by=actor_of(away))
    reach = queries.theirs(office)

    whose = {w: [r.id for r in desk.page(reach, office, Wanted(whose=w)).rows] for w in WHOSE}
    assert whose == {"mine": [tasks[0]], "free": tasks[3:][::-1], "instead": [tasks[1]], "asked": [tasks[2]]}
    for wanted in (Wanted(), Wanted(whose="free"), Wanted(due="soon", q="某clerk"), Wanted(step="p:look")):
        tally = desk.tally(reach, office, wanted)
        assert (tally.inbox, tally.shown) == (5, len(desk.page(reach, office, wanted).rows))
        for facet, choices in tally.choices.items():
            assert choices or facet == "kind", facet
            for one in choices:
                then = desk.page(reach, office, wanted.but(**{facet: one.value}))
                assert len(then.rows) == one.count, (wanted, facet, one)
    late = {d: len(desk.page(reach, office, Wanted(due=d)).rows) for d in DUE}
    assert (late["late"], late["none"]) == (1, 1) and late["soon"] >= late["today"] + late["late"]
    assert desk.tally(queries.theirs(clerk), clerk, Wanted()).inbox == 0


def test_a_long_list_is_cut_and_goes_on_by_an_address(app: Flask, people: People):
    (task,) = start(people, 1)
    copies_of(task, 59)
    office = logged_in(app, "office")

    first = office.get("/inbox").text
    found = re.search(r'<a class="button" href="(/inbox\?after=[^"]+)" hx-get="(/inbox/rows\?[^"]+)"', first)
    assert found is not None and first.count('class="list-item"') == 50 and "全部 60" in first
    assert 'id="inbox-badge" class="count">60' in first
    second = office.get(unescape(found[1])).text
    assert second.count('class="list-item"') == 10 and "回到最前面" in second
    more = office.get(unescape(found[2]), **{"HX-Request": "true"}).text
    assert more.count('class="list-item"') == 10 and "<html" not in more

    asked = office.get("/inbox", Accept="application/json").get_json()
    rest = office.get(asked["next"], Accept="application/json").get_json()
    assert len({row["id"] for row in asked["tasks"] + rest["tasks"]}) == 60 and rest["next"] is None


def test_filters_combine_are_kept_under_a_name_and_say_what_they_leave_out(app: Flask, people: People):
    a, b = start(people, 2)
    due(b, 20)
    office = logged_in(app, "office")
    office.get(f"/inbox/{b}")
    assert office.post(f"/inbox/{b}/claim?sort=arrived").location == f"/inbox/{b}?sort=arrived"

    page = office.get("/inbox?due=soon&whose=free&step=p:look").text
    assert page.count('class="list-item"') == 1 and f'href="/inbox/{a}?' in page
    nothing = unescape(office.get("/inbox?due=late&whose=mine&q=x").text)
    assert "没有任务同时符合：搜索“x”、已超时、我已领取" in nothing and "清除筛选" in nothing

    kept = office.post("/inbox/filters?due=soon&whose=free", dict(name="急的"))
    assert kept.location == "/inbox?due=soon&whose=free"
    assert (
        '<a href="/inbox?due=soon&amp;whose=free" aria-current="true">☆ 急的'
        in office.get(kept.location).text
    )
    assert "☆ 急的" not in logged_in(app, "clerk").get("/inbox").text, "everybody has their own"
    assert "请先选择筛选条件" in office.get(office.post("/inbox/filters", dict(name="空")).location).text
    office.post("/inbox/filters/1/drop")
    assert "☆ 急的" not in office.get("/inbox").text

    done = office.post(f"/inbox/{a}/complete?whose=free", dict(decision="approve"))
    following = re.fullmatch(r"/inbox/(\d+)\?whose=free", done.location)
    assert following is not None and int(following[1]) not in (a, b), "the next of the same list"


def test_what_is_new_is_told_and_not_put_under_the_readers_eyes(app: Flask, people: People):
    start(people, 1)
    office = logged_in(app, "office")
    asks = re.search(r'hx-get="(/inbox/live[^"]+)"', office.get("/inbox").text)
    assert asks is not None and 'hx-get="/inbox/badge"' in office.get("/inbox/done").text

    quiet = office.get(unescape(asks[1]), **{"HX-Request": "true"}).text
    assert "项新任务" not in quiet
    start(people, 2)
    told = office.get(unescape(asks[1]), **{"HX-Request": "true"}).text

    assert "2 项新任务" in told and "全部 3" in told and 'class="list-item"' not in told
    assert re.search(r'id="inbox-badge"[^>]*hx-swap-oob="true">3<', told)


def test_ticked_tasks_are_decided_one_by_one_and_what_one_refuses_undoes_no_other(app: Flask, people: People):
    a, b, c, d = start(people, 4)
    office = logged_in(app, "office")
    listed = office.get("/inbox").text
    assert listed.count('name="task"') == 4
    sure = office.get(f"/inbox/batch?task={a}&task={b}&task={c}&task=999").text
    key = re.search(r'name="request_key" value="([^"]+)"', sure)
    assert key is not None and sure.count("checked") == 3 and "另有 1 项" in sure
    form: dict[str, Any] = dict(request_key=key[1], task=[a, b, c], listed=[a, b, c])

    wrong = office.post("/inbox/batch", {**form, "decision": "send_back", "opinion": ""})
    assert wrong.status_code == 422 and "请填写审批意见" in wrong.text and wrong.text.count("checked") == 3
    commands.complete(b, {"decision": "approve"}, by=people.actor("office"))
    before = _entries()
    told = office.post("/inbox/batch", {**form, "decision": "approve", "opinion": "同批"})
    assert "已办 2 项，1 项没有办成" in told.text and "某office" in told.text
    assert _entries() - before == 3, "two completions and one refusal, each by itself"
    again = office.post("/inbox/batch", {**form, "decision": "approve", "opinion": "同批"})
    assert "已办 2 项，1 项没有办成" in again.text
    said = sa.select(FlowTask.opinion, FlowTask.outcome).where(FlowTask.id.in_([a, c]))
    assert db.session.execute(said).all() == [("同批", "approve")] * 2

    sign = next(row.id for row in queries.inbox(people.actor("office")) if row.node == "sign")
    listed = office.get("/inbox").text
    assert listed.count('name="task"') == 1, "one's own hand is never ticked"
    refused = office.post(
        "/inbox/batch", dict(task=[d, sign], decision="approve"), Accept="application/json"
    ).get_json()
    assert [(one["task_id"], one["done"]) for one in refused["outcomes"]] == [(d, True), (sign, False)]
    assert "逐项办理" in json.dumps(refused, ensure_ascii=False)
    stranger = logged_in(app, "clerk")
    stranger.get("/inbox")
    (e,) = start(people, 1)
    theirs = stranger.post("/inbox/batch", dict(task=[e], decision="approve"), Accept="application/json")
    assert theirs.get_json()["outcomes"][0] == {
        "task_id": e,
        "title": f"#{e}",
        "done": False,
        "refused": theirs.get_json()["outcomes"][0]["refused"],
    }
    assert office.get("/inbox/batch").status_code == 422


def _entries() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0
