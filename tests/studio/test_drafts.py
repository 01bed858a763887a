"""Drafts: started from a version, saved with what was seen, never overwritten silently; who else is there."""

import json
from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.clock import now
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.studio import commands, queries
from app.studio.rules import Stale
from tests.flows.test_views import logged_in
from tests.people.makers import Browser, Town


def put(browser: Browser, path: str, body: object) -> object:
    return browser.client.put(
        path, data=json.dumps(body), content_type="application/json", headers={"X-CSRFToken": browser.token}
    )


def test_what_somebody_else_has_saved_is_never_overwritten_silently(people_here: Town):
    owner, other = people_here.actor("owner"), people_here.actor("other")
    with pytest.raises(Forbidden):
        commands.start_draft("seal_approval", by=people_here.actor("office"))
    with pytest.raises(NotFound):
        commands.start_draft("no_such", by=owner)
    with pytest.raises(NotFound):
        commands.start_draft("seal_approval", 9, by=owner)
    fact = commands.start_draft("seal_approval", by=owner)
    draft = queries.draft(fact.draft_id, owner)
    assert (draft.base_version, draft.revision, set(draft.tables)) == (1, 1, {"routing.dmn"})
    assert set(draft.forms) == {"correct", "head_review", "review"} and "head_decides" in draft.scenarios
    changed = draft.bpmn.replace("收到申请", "申请已到")

    saved = commands.save_draft(draft.id, 1, bpmn=changed, by=owner)
    assert (saved.revision, saved.changed) == (2, ["diagram"])
    assert (
        commands.save_draft(draft.id, 2, bpmn=changed, by=owner).revision == 2
    )  # nothing new, nothing counted
    with pytest.raises(Stale) as stale:
        commands.save_draft(draft.id, 1, forms={"review": {}}, by=other)
    assert (stale.value.revision, stale.value.by) == (2, "流程owner")
    commands.save_draft(draft.id, 2, forms={"mine": {"title": 1}, "correct": None}, by=other)
    kept = queries.draft(draft.id, owner)
    assert kept.bpmn == changed and set(kept.forms) == {"head_review", "mine", "review"}

    for wrong in (
        {"bpmn": "<a"},
        {"bpmn": 7},
        {"tables": {"../x.dmn": "<a/>"}},
        {"tables": {"x.dmn": "<!DOCTYPE a><a/>"}},
        {"forms": {"f": []}},
        {"bpmn": f"<a>{'x' * 2 * 2**20}</a>"},
        {"tables": {f"t{n}.dmn": "<a/>" for n in range(60)}},
    ):
        with pytest.raises(Invalid):
            commands.save_draft(draft.id, 3, by=owner, **wrong)  # type: ignore[arg-type]
    commands.discard_draft(draft.id, by=other)
    with pytest.raises(Conflict):
        commands.save_draft(draft.id, 3, bpmn=changed, by=owner)


def test_the_editors_script_reads_saves_and_sees_who_else_is_there(
    app: Flask, people_here: Town, monkeypatch: pytest.MonkeyPatch
):
    owner, other = logged_in(app, "owner"), logged_in(app, "other")
    assert "seal_approval" in owner.get("/studio/").text
    owner.get("/studio/flows/seal_approval")
    page = owner.post("/studio/flows/seal_approval/drafts", {}).location
    assert owner.get(page).status_code == 200 and owner.get(f"{page}/publish").status_code == 200
    assert owner.get(f"{page}/tables/routing.dmn").status_code == 200
    assert owner.get(f"{page}/tables/none.dmn").status_code == 404

    model = owner.get(f"{page}/model").json
    assert model["revision"] == 1 and set(model) == {"revision", "key", "bpmn", "tables", "forms", "token"}
    answer = put(owner, f"{page}/model", {"revision": 1, "bpmn": model["bpmn"].replace("P2D", "PX")})
    assert answer.json["revision"] == 2
    assert {p["element"] for p in answer.json["problems"] if p["severity"] == "error"} == {
        "review",
        "head_review",
    }
    assert owner.get(f"{page}/problems").json == answer.json["problems"]
    other.get("/studio/flows/seal_approval")
    late = put(other, f"{page}/model", {"revision": 1, "forms": {}})
    assert late.status_code == 409 and late.json["revision"] == 2 and late.json["by"] == "流程owner"
    mine = {"revision": 1, "bpmn": model["bpmn"].replace("P2D", "P9D")}
    copied = other.send("POST", f"{page}/copies", json=mine, headers={"X-CSRFToken": other.token})
    copy = other.get(f"{copied.json['address']}/model").json
    assert copied.status_code == 201 and "P9D" in copy["bpmn"] and copy["tables"] == model["tables"]
    assert "P9D" not in owner.get(f"{page}/model").json["bpmn"]
    assert put(owner, f"{page}/model", {"bpmn": 3}).status_code == 422
    assert put(owner, f"{page}/model", {"revision": 2, "bpmn": "<a"}).json["error"]["zh"]

    offered = owner.get(f"{page}/choices").json
    assert {"roles", "posts", "units", "people", "forms", "decisions", "flows", "actions"} <= set(offered)
    assert "system_administrator" not in {r["id"] for r in offered["roles"]}
    assert {f["id"] for f in offered["forms"]["review"]["fields"]} >= {"decision"}
    (routing,) = offered["decisions"]
    assert (routing["id"], routing["file"], routing["outputs"][0]["id"]) == (
        "routing",
        "routing.dmn",
        "route",
    )
    words = {one["id"]: one["zh"] for one in routing["outputs"][0]["choices"]}
    assert words["office_and_head"] == "印章管理部门审核，负责人审批"
    assert [i["id"] for i in routing["inputs"]] == ["kind", "unit_level"] and "seal_name" in offered["data"]

    assert owner.post(f"{page}/presence", {}).json == {"others": []}
    assert other.post(f"{page}/presence", {}).json["others"][0]["name"] == "流程owner"
    later = now() + timedelta(seconds=60)
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr("app.studio.presence.now", lambda: later)
    assert other.post(f"{page}/presence", {}).json == {"others": []}

    office = logged_in(app, "office")
    refused = office.get(f"{page}/model")
    assert refused.status_code == 403 and refused.json["error"]["code"] == "studio.not_yours"
    assert office.get("/studio/").status_code == 403
