"""The editor's pages: a process owner who types no code puts a step into the approval, and says all of it by choosing."""

import re

from flask import Flask

from app.studio import commands, problems, queries
from tests.flows.test_views import logged_in
from tests.people.makers import Town

SAVED = {
    "name_zh": "法务审核", "name_en": "Legal review", "role": "seal_office_head", "form": "review", "due": "3",
    "unit": "WD", "onTimeout": "escalate", "escalateTo": "seal_office_head", "repeat": "", "own": "superior", "nobody": "incident",
}  # fmt: skip


def test_a_step_is_put_in_told_moved_and_taken_out_by_choosing(app: Flask, people_here: Town):
    owner = people_here.actor("owner")
    ident = commands.start_draft("seal_approval", by=owner).draft_id
    at = f"/studio/drafts/{ident}/steps"
    client = logged_in(app, "owner")
    client.get(at)

    def act(verb: str, **given: str):  # type: ignore[no-untyped-def]
        revision = str(queries.draft(ident, owner).revision)
        return client.post(at, {"act": verb, "revision": revision, **given})

    added = act("insert:review", name_zh="法务审核", role="seal_office_head")
    assert added.status_code == 302 and "step=step_1" in added.location
    page = client.get(added.location).text
    assert "法务审核" in page and "2 个工作日" in page and "没有发现问题" in page

    act("save:step_1", **SAVED)
    bpmn = queries.draft(ident, owner).bpmn
    step = bpmn[bpmn.index('<bpmn:userTask id="step_1"') :]
    said = dict(re.findall(r'name="(\w+)" value="([^"]*)"', step[: step.index("</bpmn:userTask>")]))
    assert said == {
        "role": "seal_office_head", "form": "review", "dueIn": "P3WD", "en": "Legal review", "onTimeout": "escalate",
        "escalateTo": "seal_office_head", "own": "superior", "nobody": "incident",
    }  # fmt: skip
    assert [t for t in problems.of_draft(queries.draft(ident, owner)) if t.severity == "error"] == []

    for wrong, told in (
        ({"due": "两天"}, "1 到 999"),
        ({"name_zh": " "}, "请填写步骤名称"),
        ({"role": "system_administrator"}, "请从列表中选择"),
        ({"revision": "1"}, "已在此期间保存"),
    ):
        refused = act("save:step_1", **{**SAVED, **wrong})
        assert refused.status_code in (409, 422) and told in refused.text
        assert 'value="Legal review"' in refused.text, "what was typed stays"
    assert act("down:step_1").status_code == 422  # a gateway follows
    act("up:step_1")
    act("remove:step_1")
    assert "step_1" not in queries.draft(ident, owner).bpmn
    assert act("eval:review").status_code == 422
