"""The rule table page: chosen, not typed; saved by itself; told of gaps; never over somebody else's change."""

import re

from flask import Flask

from app.bpmn.table_cells import cell
from app.bpmn.table_sheet import sheets
from app.studio import commands, queries
from tests.flows.test_views import logged_in
from tests.people.makers import Town


def test_an_owner_changes_a_table_without_typing_an_expression(app: Flask, people_here: Town):
    owner, other = people_here.actor("owner"), people_here.actor("other")
    ident = commands.start_draft("seal_approval", by=owner).draft_id
    path, browser = f"/studio/drafts/{ident}/tables/routing.dmn", logged_in(app, "owner")

    def base(page: str) -> str:
        found = re.search(r'name="base" value="([^"]+)"', page)
        assert found
        return found[1]

    def rules() -> list[list[str]]:
        (sheet,) = sheets(queries.draft(ident, owner).tables["routing.dmn"])
        return [[str(c.kind), *(str(v) for v in c.values)] for c in (r.cells[1] for r in sheet.rules)]

    page = browser.get(path).text
    assert "取第一条适用的规则" in page and "没有空缺，没有重叠" in page
    changed = {
        "base": base(page),
        "r1-c1-kind": "between",
        "r1-c1-a": "2",
        "r1-c1-b": "5",
        "policy": "UNIQUE",
    }
    told = browser.post(path, changed, **{"HX-Request": "true"})
    assert told.status_code == 200 and "重叠" in told.text and "规则 2" in told.text
    assert rules()[1] == ["between", "2", "5"]
    assert queries.draft(ident, owner).revision == 2

    half = browser.post(path, {"base": base(told.text), "r1-c1-kind": "le", "r1-c1-a": "x"})
    assert half.status_code == 422 and "还没有填完整" in half.text and 'value="x"' in half.text
    assert rules()[1] == ["between", "2", "5"]

    for do in ("copy-0", "down-0", "add", "remove-3", "up-1"):
        page = browser.get(path).text
        assert browser.post(path, {"base": base(page), "do": do}).status_code == 302
    assert len(rules()) == 4
    page = browser.get(path).text
    assert browser.post(path, {"base": base(page), "do": "column", "field": "decision"}).status_code == 302
    (sheet,) = sheets(queries.draft(ident, owner).tables["routing.dmn"])
    assert (
        sheet.inputs[2].asks == "decision" and sheet.inputs[2].values == cell('"approve","send_back"').values
    )

    page = browser.get(f"{path}?case-0=%22official%22&case-1=3").text
    assert "适用规则" in page

    mine = base(browser.get(path).text)
    draft = queries.draft(ident, owner)
    theirs = draft.tables["routing.dmn"].replace("审批级别", "级别")
    commands.save_draft(ident, draft.revision, tables={"routing.dmn": theirs}, by=other)
    lost = browser.post(path, {"base": mine, "r0-note": "我的说明"})
    assert lost.status_code == 409 and "流程other" in lost.text and "我的说明" in lost.text
    assert queries.draft(ident, owner).tables["routing.dmn"] == theirs
    revision = queries.draft(ident, owner).revision
    assert browser.post(path, {"do": "restore", "revision": str(revision)}).status_code == 302
    assert rules()[1] == ["gt", "1"]
