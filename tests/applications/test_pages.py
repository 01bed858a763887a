"""The pages of applications, as applicants and deciders meet them."""

import io
import re
from typing import Any

import pytest

from app.applications import commands, drafts, queries
from app.flows import queries as flows
from app.flows import steering
from app.impressions import commands as impressions
from app.refusal import Conflict
from tests.applications.makers import CREDIT_CODE, Desk, blank, scan
from tests.imaging.test_extracting import png_header
from tests.impressions.makers import png


@pytest.mark.parametrize("language", ["zh", "en"])
def test_three_kinds_three_forms(desk: Desk, language: str) -> None:
    client = desk.browser(desk.clerk)
    client.set_cookie("language", language)

    choose = client.get("/applications/new").text
    forms = {
        k: client.get(f"/applications/new/{k}") for k in ("official", "personal_name", "personal_signature")
    }

    assert choose.count("choice-card") == 3
    assert all(form.status_code == 200 for form in forms.values())
    assert 'name="credit_code"' in forms["official"].text
    assert 'name="credit_code"' not in forms["personal_name"].text
    assert "<signature-pad" in forms["personal_signature"].text
    assert ("每次修改自动保存" if language == "zh" else "Every change is kept") in forms["official"].text
    assert client.get("/applications/new/other").status_code == 422


def test_the_preview_shows_before_and_after_at_true_size(desk: Desk) -> None:
    shown = desk.post(desk.clerk, "/applications/preview", scan(), size="round-42").text

    assert 'width="42mm"' in shown or 'width="42.0mm"' in shown
    assert "data:image/png;base64," in shown
    reference = re.search(r'name="scan_reference" value="([^"]+)"', shown)
    assert reference is not None
    again = desk.post(
        desk.clerk, "/applications/preview", scan_reference=reference[1], size="round-40", sensitivity="1.5"
    ).text
    assert "40×40 mm" in again
    assert desk.browser(desk.clerk).get(f"/applications/uploads/{reference[1]}").data == scan()
    assert desk.browser(desk.office).get(f"/applications/uploads/{reference[1]}").status_code == 403


def test_a_form_that_is_sent_twice_is_one_application(desk: Desk) -> None:
    browser, answers = desk.browser(desk.clerk), []
    found = re.search(r'name="request_key" value="([^"]+)"', browser.get("/applications/new/official").text)
    assert found is not None
    for _ in range(2):
        form: dict[str, object] = {
            **desk.form(),
            "request_key": found[1],
            "scan": (io.BytesIO(scan()), "a.jpg"),
        }
        answers.append(
            desk.browser(desk.clerk).post(
                "/applications/new/official", data=form, content_type="multipart/form-data"
            )
        )

    assert [a.status_code for a in answers] == [302, 302]
    assert answers[0].location == answers[1].location
    assert len(queries.mine(desk.clerk)) == 1


def test_a_cancelled_flow_cancels_what_was_not_decided(desk: Desk) -> None:
    applied = desk.apply()
    with pytest.raises(Conflict, match="flow_runs"):
        commands.cancel(applied.application_id, "x", by=desk.clerk)

    steering.cancel(applied.instance_id, "名称写错", by=desk.clerk)

    assert queries.application(applied.application_id).status == "cancelled"
    assert "已撤销" in desk.browser(desk.clerk).get(f"/applications/{applied.application_id}").text


def test_nothing_to_preview_is_no_error(desk: Desk) -> None:
    shown = desk.post(desk.clerk, "/applications/preview", size="round-42")

    assert shown.status_code == 200


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"text that calls itself a picture", "这不是 PNG 或 JPEG 图片"),
        (png_header(20_000, 20_000), "图片太大"),
        (blank(), "没有找到红色印迹"),
        (None, "请上传印模扫描件"),
    ],
)
def test_a_scan_that_cannot_be_used_is_said_at_its_field_with_everything_kept(
    desk: Desk, data: bytes | None, sentence: str
) -> None:
    page = desk.post(desk.clerk, "/applications/new/official", data, **desk.form(reason="别丢了我"))

    assert page.status_code == 422
    assert sentence in page.text
    assert 'id="error-scan"' in page.text
    assert "别丢了我" in page.text


def test_what_is_wrong_is_said_above_and_at_the_field(desk: Desk) -> None:
    page = desk.post(desk.clerk, "/applications/new/official", scan(), **desk.form(seal_name="", reason=""))

    assert page.status_code == 422
    assert 'href="#field-seal_name"' in page.text and 'id="error-seal_name"' in page.text
    assert 'name="scan_reference"' in page.text  # the scan need not be chosen again


def test_from_form_to_correction_over_pages(desk: Desk) -> None:
    done = desk.post(desk.clerk, "/applications/new/official", scan(), **desk.form(seal_name="合同章"))
    assert done.status_code == 302
    path = done.headers["Location"]
    desk.send_back("名称须与印文一致")

    page = desk.browser(desk.clerk).get(path).text
    assert "名称须与印文一致" in page and f"{path}/correct" in page
    form = desk.browser(desk.clerk).get(f"{path}/correct").text
    assert 'value="合同章"' in form
    corrected = desk.post(desk.clerk, f"{path}/correct", **desk.form())

    assert corrected.headers["Location"] == path
    assert "预算处合同专用章" in desk.browser(desk.clerk).get(path).text
    assert desk.browser(desk.clerk).get(f"{path}/correct").status_code == 409


def test_what_was_typed_is_there_again(desk: Desk) -> None:
    client = desk.browser(desk.clerk)
    desk.post(
        desk.clerk, "/applications/preview", scan(), draft_key="official", size="round-42", reason="半句"
    )

    kept = client.post("/applications/drafts/official", data={"seal_name": "写到一半", "size": "round-45"})
    form = client.get("/applications/new/official").text

    assert "草稿已保存" in kept.text
    assert 'value="写到一半"' in form and 'value="round-45" selected' in form
    assert "扫描件已保存" in form
    assert (
        "写到一半"
        not in desk.browser(desk.person("旁人", desk.finance, "applicant"))
        .get("/applications/new/official")
        .text
    )
    client.post("/applications/drafts/official/discard")
    assert drafts.of("official", desk.clerk) is None


def test_the_route_is_told_as_the_form_is_filled_in(desk: Desk) -> None:
    client = desk.browser(desk.clerk)

    before = client.post("/applications/ahead/official", data={}).text
    after = client.post("/applications/ahead/official", data=desk.form()).text

    assert "李主任" not in before
    assert "李主任" in after


def test_the_decider_sees_facts_consequence_and_pictures_on_the_task(desk: Desk) -> None:
    impressions.register(
        owner_unit_id=desk.finance,
        kind="official",
        name="预算处合同专用章",
        png=png(),
        width_mm=42,
        height_mm=42,
        by=desk.office,
    )
    one = desk.apply().application_id
    task = flows.inbox(desk.office)[0].id

    page = desk.browser(desk.office).get(f"/inbox/{task}").text

    assert "旧印模自动停用" in page
    assert "原章磨损" in page and "42 mm" in page
    for part in (
        f"/applications/{one}/scan",
        f"/applications/{one}/impression.png",
        "/impressions/1/image.png",
    ):
        assert part in page
        assert desk.browser(desk.office).get(part).status_code == 200


def test_pictures_are_for_the_applicant_and_the_deciders_of_the_unit(desk: Desk) -> None:
    one = desk.apply().application_id
    neighbour = desk.person("邻科", desk.tax, "seal_office", over=desk.tax)
    colleague = desk.person("同事", desk.finance, "applicant")

    for part in ("", "/scan", "/impression.png"):
        assert desk.browser(desk.clerk).get(f"/applications/{one}{part}").status_code == 200
        assert desk.browser(desk.head).get(f"/applications/{one}{part}").status_code == 200
        for who in (neighbour, colleague):
            assert desk.browser(who).get(f"/applications/{one}{part}").status_code == 403


def test_who_is_no_applicant_does_not_apply(desk: Desk) -> None:
    client = desk.browser(desk.overseer)

    for path in ("/applications", "/applications/new", "/applications/new/official"):
        assert client.get(path).status_code == 403
    assert desk.post(desk.overseer, "/applications/new/official", scan(), **desk.form()).status_code == 403


def test_an_application_speaks_json(desk: Desk) -> None:
    one = desk.apply().application_id
    client = desk.browser(desk.clerk)

    told = client.get(f"/applications/{one}", headers={"Accept": "application/json"}).get_json()
    refused = client.post(
        "/applications/new/official", data=desk.form(), headers={"Accept": "application/json"}
    )

    assert (told["number"], told["status"]) == (queries.application(one).number, "submitted")
    assert refused.status_code == 422
    assert "scan" in refused.get_json()["error"]["fields"]


def test_a_twin_in_the_library_is_told_to_those_who_may_know(desk: Desk) -> None:
    """A3: the applicant learns of their own units' impressions only; the office which one it is."""
    neighbour = desk.person("税某", desk.tax, "applicant", over=desk.tax)
    first = desk.apply()
    desk.decide(desk.office, decision="approve", opinion="")
    said = {"draft_key": "official", "seal_name": "另一合同章", "size": "round-42"}

    told = desk.post(
        desk.clerk, "/applications/preview", scan(), owner_unit_id=str(desk.finance), **said
    ).text
    untold = desk.post(neighbour, "/applications/preview", scan(), owner_unit_id=str(desk.tax), **said).text
    desk.apply(by=neighbour, owner_unit_id=str(desk.tax), seal_name="另一合同章")
    task = next(row.id for row in flows.inbox(desk.office) if row.node == "review")

    assert "已有非常相似的印模" in told and "合同专用章" not in told
    assert "已有非常相似的印模" not in untold
    assert "预算处合同专用章</a>" in desk.browser(desk.office).get(f"/inbox/{task}").text
    assert first.instance_id


def test_the_letter_of_authority_goes_with_a_units_own_seal(desk: Desk) -> None:
    form = {**desk.form(seal_type="unit", credit_code=CREDIT_CODE, register_number="1101080123456")}
    browser = desk.browser(desk.clerk)

    def send(**files: tuple[io.BytesIO, str]) -> Any:
        said: dict[str, object] = {**form, "scan": (io.BytesIO(scan()), "a.jpg"), **files}
        return browser.post("/applications/new/official", data=said, content_type="multipart/form-data")

    missing = send()
    refused = browser.post(
        "/applications/letter", data={"draft_key": "official", "letter__file": (io.BytesIO(b"MZ"), "a.pdf")}
    )
    sent = send(letter__file=(io.BytesIO(b"%PDF-1.7"), "授权书.pdf"))

    assert (
        missing.status_code == 422
        and 'href="#field-letter"' in missing.text
        and 'id="field-letter"' in missing.text
    )
    assert refused.status_code == 422 and "扩展名不符" in refused.text
    assert sent.status_code == 302
    task = flows.inbox(desk.office)[0].id
    page = desk.browser(desk.office).get(f"/inbox/{task}").text
    handle = re.search(r"/inbox/files/([0-9a-f]{32})", page)
    assert handle is not None and "授权书.pdf" in page and "1101080123456" in page
    assert desk.browser(desk.office).get(handle[0]).data == b"%PDF-1.7"
    outsider = desk.person("外人", desk.tax, "applicant", over=desk.tax)
    assert desk.browser(outsider).get(handle[0]).status_code == 403
