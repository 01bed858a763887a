"""Comments on a flow, with files: who may speak and who may read, what is refused, what can be taken back."""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.clock import now
from app.db import db
from app.flows import commands, queries
from app.flows.models_comments import FlowComment
from app.flows.models_forms import FormUpload
from app.settings import Settings
from tests.conftest import settings_for
from tests.flows.test_hands import publish
from tests.flows.test_views import logged_in
from tests.people.makers import town

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


def test_what_concerns_a_flow_is_said_beside_it(app: Flask, tmp_path: Path):
    here = town()
    publish(tmp_path, review={}, mine={})
    clerk, office, nobody = (logged_in(app, login) for login in ("clerk", "office", "nobody"))
    flow_id = commands.start("p", {}, business_key="thing/1", by=here.actor("clerk")).instance_id
    task = queries.inbox(here.actor("office"))[0].id
    flow = f"/inbox/flow/{flow_id}"

    clerk.get(flow)
    said = {"comment": "合同第三页有改动", "files": [(io.BytesIO(PDF), "说明.pdf")]}
    assert clerk.post(f"{flow}/comments", said).status_code == 302
    page = office.get(f"/inbox/{task}").text
    assert "合同第三页有改动" in page and "说明.pdf" in page and "还没有人" not in page
    handle = re.search(r"/inbox/files/(\w+)", page)
    assert handle is not None
    file = f"/inbox/files/{handle[1]}"
    assert office.get(file).data == PDF
    assert office.post(f"/inbox/{task}/comments", {"comment": "看过了 <b>"}).status_code == 302
    assert "看过了 &lt;b&gt;" in clerk.get(flow).text and "发表意见" in clerk.get(flow).text

    # a stranger reads, says and opens nothing
    assert nobody.get(flow).status_code == 403
    assert nobody.post(f"{flow}/comments", {"comment": "我也看看"}).status_code == 403
    assert nobody.get(file).status_code == 403
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FlowComment)) == 2

    # what is refused stays on the page, and no file is kept for it
    kept = db.session.scalar(sa.select(sa.func.count()).select_from(FormUpload))
    office.get(f"/inbox/{task}")
    for words, files, sentence in (
        ("", [], "请填写意见"),
        ("看\u202e这里", [(io.BytesIO(PDF), "a.pdf")], "控制字符"),
        ("附件太多", [(io.BytesIO(PDF), f"{n}.pdf") for n in range(6)], "最多 5 个"),
        ("不是它自称的", [(io.BytesIO(b"MZ\x90"), "图.png")], "图.png"),
    ):
        answer = office.post(f"/inbox/{task}/comments", {"comment": words, "files": files})
        assert answer.status_code == 422, sentence
        assert (sentence in answer.text or "文件" in answer.text) and (words in answer.text)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FormUpload)) == kept


def test_one_s_own_can_be_taken_back_for_ten_minutes(app: Flask, tmp_path: Path):
    here = town()
    publish(tmp_path, review={}, mine={})
    clerk, office = logged_in(app, "clerk"), logged_in(app, "office")
    flow_id = commands.start("p", {}, business_key="thing/1", by=here.actor("clerk")).instance_id
    flow = f"/inbox/flow/{flow_id}"
    clerk.get(flow)
    for words in ("第一句", "第二句"):
        clerk.post(f"{flow}/comments", {"comment": words})
    first, second = db.session.scalars(sa.select(FlowComment).order_by(FlowComment.id))

    task = queries.inbox(here.actor("office"))[0].id
    office.get(f"/inbox/{task}")
    assert office.post(f"{flow}/comments/{first.id}/withdraw").status_code == 404
    assert clerk.post(f"{flow}/comments/{first.id}/withdraw").status_code == 302
    assert clerk.post(f"{flow}/comments/{first.id}/withdraw").status_code == 302
    second.at = now() - timedelta(minutes=11)
    db.session.commit()
    late = clerk.post(f"{flow}/comments/{second.id}/withdraw")

    assert late.status_code == 409 and "不能撤回" in late.text
    page = office.get(f"/inbox/{task}").text
    assert "第一句" not in page and "已撤回" in page and "第二句" in page
