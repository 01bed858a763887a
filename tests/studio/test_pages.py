"""The studio in a browser: the flows, a version, two compared, a flow carried out and in, the gate."""

import io
import zipfile

from flask import Flask

from app.studio import bundle
from tests.flows.test_views import apply, logged_in
from tests.people.makers import Town
from tests.studio.edits import with_legal_review, with_threshold
from tests.studio.test_drafts import put


def test_a_change_goes_through_the_gate(app: Flask, people_here: Town):
    owner, running = logged_in(app, "owner"), apply(people_here, 7)
    assert running
    owner.get("/studio/flows/seal_approval")
    page = owner.post("/studio/flows/seal_approval/drafts", {"version": "1"}).location
    unchanged = owner.get(f"{page}/publish").text
    assert "没有发现问题" in unchanged and "没有可发布的改动" in unchanged
    model = owner.get(f"{page}/model").json
    owner.get(f"{page}/publish")
    broken = with_legal_review(model["bpmn"]).replace("P2WD", "soon")
    put(owner, f"{page}/model", {"revision": 1, "bpmn": broken})
    wrong = owner.get(f"{page}/publish").text
    assert f'href="{page}#element=legal_review"' in wrong and "先更正 1 处问题" in wrong
    tables = {"routing.dmn": with_threshold(model["tables"]["routing.dmn"], 2)}
    put(owner, f"{page}/model", {"revision": 2, "bpmn": with_legal_review(model["bpmn"]), "tables": tables})

    gate = owner.get(f"{page}/publish").text

    for told in (
        "「法务审核」", "规则表「审批级别」第 2 条", "单位层级（1 为最高）：&gt; 1 → &gt; 2", "走法改变",
        "示例没有写这一步，按同意继续", "印章全过程", "在办 1 件", "1 件可以",
    ):  # fmt: skip
        assert told in gate, told
    refused = owner.post(f"{page}/publish", {"do": "publish", "revision": "3", "seen": "1", "effective_from": "2001-01-01", "note": "试试"})  # fmt: skip
    assert refused.status_code == 422 and "试试" in refused.text and "一年之内" in refused.text
    done = owner.post(f"{page}/publish", {"do": "publish", "revision": "3", "seen": "1", "running": "move", "note": "加法务"})  # fmt: skip
    assert done.status_code == 302
    flow = owner.get("/studio/flows/seal_approval").text
    assert "加法务" in flow and "1 件改按新版本办理" in flow and "流程owner" in flow
    assert "在办" in owner.get("/studio/").text
    compared = owner.get("/studio/flows/seal_approval/compare?from=1&to=2").text
    assert "「法务审核」" in compared and 'class="shape userTask ahead added"' in compared
    assert "Legal review" in logged_in(app, "owner", "en").get("/studio/flows/seal_approval/2").text
    assert owner.post("/studio/flows/seal_approval/drafts", {"version": "1"}).status_code == 302


def test_a_second_person_agrees_on_the_page(app: Flask, people_here: Town):
    app.config["SETTINGS"].studio_second_person = True
    owner, other = logged_in(app, "owner"), logged_in(app, "other")
    owner.get("/studio/flows/seal_approval")
    page = owner.post("/studio/flows/seal_approval/drafts", {}).location
    owner.get(f"{page}/publish")
    changed = with_legal_review(owner.get(f"{page}/model").json["bpmn"])
    put(owner, f"{page}/model", {"revision": 1, "bpmn": changed})
    said = {"do": "propose", "revision": "2", "seen": "1", "effective_from": "", "note": "请看"}
    assert owner.post(f"{page}/publish", said).status_code == 302
    assert "等待另一位流程管理员同意：流程other" in owner.get(f"{page}/publish").text
    assert owner.post(f"{page}/publish", {"do": "agree", "revision": "2"}).status_code == 403
    assert "同意并发布" in other.get(f"{page}/publish").text
    assert other.post(f"{page}/publish", {"do": "decline", "revision": "2"}).status_code == 422
    assert other.post(f"{page}/publish", {"do": "agree", "revision": "2"}).status_code == 302
    assert "请看" in other.get("/studio/flows/seal_approval").text


def upload(browser: object, content: bytes) -> object:
    client = browser.client  # type: ignore[attr-defined]
    return client.post(
        "/studio/import",
        data={"file": (io.BytesIO(content), "x.zip"), "csrf_token": browser.token},  # type: ignore[attr-defined]
        content_type="multipart/form-data",
    )


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_a_flow_is_carried_out_and_in_and_what_is_no_flow_is_refused_by_name(app: Flask, people_here: Town):
    owner = logged_in(app, "owner")
    answer = owner.get("/studio/flows/seal_approval/1/files")
    assert answer.headers["Content-Type"] == "application/zip"
    papers = bundle.unpacked(answer.data)
    assert bundle.packed(papers) == answer.data
    assert set(papers.forms) == {"correct", "head_review", "review"} and len(papers.stories) == 4

    owner.get("/studio/import")
    assert upload(owner, answer.data).status_code == 302
    other = papers.bpmn.replace('id="seal_approval"', 'id="my_approval"').replace('bpmnElement="seal_approval"', 'bpmnElement="my_approval"')  # fmt: skip
    made = upload(
        owner, bundle.packed(bundle.Papers("my_approval", other, papers.tables, papers.forms, papers.stories))
    )
    gate = owner.get(made.location).text  # type: ignore[attr-defined]
    assert "这个流程还没有发布过" in gate and "没有发现问题" in gate
    assert "尚未发布的流程" in owner.get("/studio/").text

    good = {"p/p.bpmn": papers.bpmn}
    for files, name in (
        ({**good, "p/actions.py": "import os"}, "actions.py"),
        ({**good, "p/../../etc/x.dmn": "<a/>"}, "p/../../etc/x.dmn"),
        ({**good, "/p/x.dmn": "<a/>"}, "/p/x.dmn"),
        ({**good, "p/forms/f.json": "{"}, "forms/f.json"),
        ({"p/x.dmn": "<a/>"}, "*.bpmn"),
        ({**good, "p/q.bpmn": papers.bpmn}, "q.bpmn"),
        ({"p/p.bpmn": "<bpmn/>"}, "p.bpmn"),
        ({"p/p.bpmn": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "DOCTYPE"),
    ):
        refused = upload(owner, zipped(**files))
        assert refused.status_code == 422 and name in refused.text, name  # type: ignore[attr-defined]
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/p.bpmn", "<a>" + " " * 3 * 2**20 + "</a>")
    for content in (
        b"",
        b"PK\x03\x04broken",
        bomb.getvalue(),
        b"\xff\xfe not text",
        b"PK" + b"x" * 5 * 2**20,
    ):
        assert upload(owner, content).status_code == 422  # type: ignore[attr-defined]
