"""The ledger goes to Excel: ordered on a page, built by a worker, taken away by its orderer only."""

import io
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from app.actor import Actor
from app.audit import queries as audit
from app.audit import sequencer
from app.exports import commands, queries
from app.refusal import Conflict, Forbidden, NotFound, TooMany
from reports import jobs
from reports.catalogue import REPORTS, Report
from tests.cards.makers import World, browser
from tests.oversight.makers import forget

JSON = {"Accept": "application/json"}


def ordered(client: FlaskClient, **filters: str) -> dict[str, Any]:
    answer = client.post("/reports/ledger", data=filters, headers=JSON)
    assert answer.status_code == 202
    forget()
    return answer.get_json()


def sheets(client: FlaskClient, export_id: int) -> Any:
    answer = client.get(f"/reports/exports/{export_id}.xlsx")
    assert answer.status_code == 200
    assert ".xlsx" in answer.headers["Content-Disposition"]
    forget()
    return openpyxl.load_workbook(io.BytesIO(answer.data))


def actions() -> list[str]:
    sequencer.sequence()
    return [row.action for row in audit.search(audit.Filter())]


def test_the_ledger_is_ordered_built_and_taken_away(world: World) -> None:
    office = browser(world, world.office)

    told = ordered(office)
    assert told["state"] == "waiting"
    jobs.build(told["export_id"])

    progress = office.get(told["progress"], headers=JSON).get_json()
    forget()
    assert (progress["state"], progress["rows"]) == ("done", 1)
    book = sheets(office, told["export_id"])
    ledger = [[cell.value for cell in row] for row in book["印章台帐"]]
    assert ledger[0][:4] == ["序号", "印章名称", "种类", "所有者"]
    assert ledger[1][:7] == [1, "预算处", "公章", "预算处", "某市财政局 / 预算处", 2, "使用中"]
    assert [row[0].value for row in book["按单位层级"]] == ["单位层级", "第 2 级", "合计"]
    assert [row[1].value for row in book["按单位部门"]][1] == "某市财政局 / 预算处"
    assert book["导出说明"]["B3"].value == "李主任"
    assert {"export.ordered", "export.finished", "export.fetched"} <= set(actions())


def test_a_filter_narrows_the_export(world: World) -> None:
    office = browser(world, world.office)
    told = ordered(office, status="cancelled")
    jobs.sweep()
    book = sheets(office, told["export_id"])
    assert book["印章台帐"].max_row == 1
    assert book["导出说明"]["B5"].value == "status = cancelled"


def test_a_wrong_filter_is_refused_where_it_is_wrong(world: World) -> None:
    answer = browser(world, world.office).post("/reports/ledger", data={"status": "nonsense"})
    assert answer.status_code == 422
    assert 'href="#field-status"' in answer.text
    assert queries.all_waiting() == []


def test_an_export_is_its_orderers_alone(world: World) -> None:
    told = ordered(browser(world, world.office))
    jobs.build(told["export_id"])
    other = browser(world, world.manager)
    for path in (told["progress"], f"/reports/exports/{told['export_id']}.xlsx"):
        assert other.get(path).status_code == 404
        forget()
    with pytest.raises(NotFound):
        commands.fetch(told["export_id"], by=world.manager)


@pytest.mark.parametrize("who", ["stranger", "user", "administrator"])
def test_who_looks_after_no_seals_exports_none(world: World, who: str) -> None:
    actor: Actor = getattr(world, who)
    with pytest.raises(Forbidden, match=r"export\.role_missing"):
        commands.order("ledger", {}, "zh", by=actor)
    assert browser(world, actor).get("/reports").status_code == 403


def test_a_person_waits_for_five_at_most(world: World) -> None:
    for _ in range(5):
        commands.order("ledger", {}, "zh", by=world.office)
    with pytest.raises(TooMany):
        commands.order("ledger", {}, "zh", by=world.office)


def test_a_lost_nudge_loses_no_export(world: World) -> None:
    """The job of the queue is only a nudge; the sweep of each second finds what waits."""
    ids = [commands.order("ledger", {}, "zh", by=world.office).export_id for _ in range(2)]
    jobs.sweep()
    assert [queries.export(i).state for i in ids] == ["done", "done"]


def test_a_job_that_runs_twice_builds_once(world: World) -> None:
    export_id = commands.order("ledger", {}, "zh", by=world.office).export_id
    jobs.build(export_id)
    first = queries.export(export_id).file_digest
    jobs.build(export_id)
    assert queries.export(export_id).file_digest == first
    assert actions().count("export.finished") == 1


def test_a_report_that_breaks_tells_the_one_who_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_actor: Actor, _filters: dict[str, Any]) -> Any:
        raise RuntimeError("out of paper")

    report = REPORTS["ledger"]
    monkeypatch.setitem(REPORTS, "ledger", Report(title=report.title, about=report.about, tables=broken))
    export_id = commands.order("ledger", {}, "zh", by=world.office).export_id

    jobs.build(export_id)

    assert queries.export(export_id).state == "failed"
    page = browser(world, world.office).get(f"/reports/exports/{export_id}").text
    assert "生成报表时出错" in page and "out of paper" not in page
    with pytest.raises(Conflict):
        commands.fetch(export_id, by=world.office)


def test_the_page_lists_my_exports_and_polls_while_one_is_built(world: World) -> None:
    office = browser(world, world.office)
    assert "还没有导出过报表" in office.get("/reports").text
    forget()
    told = ordered(office)
    waiting = office.get(told["progress"]).text
    forget()
    assert "every 1s" in waiting
    jobs.build(told["export_id"])
    live = office.get(told["progress"] + "/live").text
    forget()
    assert "every 1s" not in live and told["progress"] + ".xlsx" in live
    assert "下载" in office.get("/reports").text
