"""Ten things that users of other systems complain of, each as the story of somebody to whom it must not happen here.

One office, served as it is, used by real browsers where the complaint is about a screen.
"""

import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.actor import SYSTEM
from app.clock import now
from app.db import db
from app.drill import votes
from app.flows import commands, handing
from app.flows import queries as tasks
from app.flows.models import FlowTask
from app.notices import gathering
from app.people import queries as people
from app.refusal import Forbidden, NotFound
from app.signing import commands as signing
from tests.desk.conftest import PHONE, Opens
from tests.journeys.office import Office, sentences
from tests.pdf.makers import small_pdf
from tests.signing.makers import usable_seal
from tests.web.waiting import wait_until

pytestmark = pytest.mark.browser
TURNED = {"width": 844, "height": 390}


def on_screen(page: Page, selector: str) -> bool:
    """Whether the whole of it can be seen without scrolling, and nothing lies over its middle."""
    return page.locator(selector).first.evaluate(
        """it => { const box = it.getBoundingClientRect();
          const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return box.top >= 0 && box.bottom <= innerHeight && box.width > 0 && it.contains(top); }"""
    )


def review_task(office: Office) -> int:
    """The seal office's newest task: an application came in."""
    office.review_task()
    return max(row.id for row in tasks.inbox(office.world.office) if row.node == "review")


def open_document(office: Office, seal_id: int) -> int:
    """A document that its user is about to seal."""
    return signing.upload(small_pdf(), "合同.pdf", by=office.world.user).document_id


# 1 --- documenso#1504, #1526, #2092, #2828


def test_1_on_a_phone_the_next_step_is_in_sight_without_scrolling(office: Office, opens: Opens) -> None:
    task_id = review_task(office)
    page = opens(office.world.office, f"/inbox/{task_id}")
    agree = "button[name=decision][value=approve]"

    assert on_screen(page, agree)
    page.mouse.wheel(0, 5000)
    wait_until(page, "scrollY > 100")
    assert on_screen(page, agree)
    page.locator(agree).click()
    page.wait_for_url(lambda url: f"/inbox/{task_id}" not in url)
    expect(page.get_by_text("已办理。")).to_be_visible()


# 2 --- docuseal#249, #383; documenso#1701


def test_2_turning_the_phone_leaves_a_signature_as_it_was(office: Office, opens: Opens) -> None:
    page = opens(office.applicant, "/applications/new/personal_signature")
    pad = page.locator("signature-pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.2, steps=8)
    page.mouse.up()
    drawn = "document.querySelector('signature-pad').strokes.flat().map(p => p.map(v => Math.round(v * 100)))"
    ink = """() => { const c = document.querySelector('signature-pad canvas');
      const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const xs = [];
      for (let i = 0; i < d.length; i += 4) if (d[i] < 128) xs.push((i / 4 % c.width) / c.width);
      return xs.length ? [Math.min(...xs), Math.max(...xs)].map(v => Math.round(v * 20)) : []; }"""
    strokes, spread = page.evaluate(drawn), page.evaluate(ink)
    assert spread == [2, 18]
    page.wait_for_selector("#preview .impression")  # it went the way a scan goes

    page.set_viewport_size(TURNED)
    wait_until(page, "document.querySelector('signature-pad canvas').clientWidth > 400")
    wait_until(page, f"JSON.stringify(({ink})()) === '[2,18]'")

    assert page.evaluate(drawn) == strokes
    assert page.evaluate("document.getElementById('field-scan').files.length") == 1
    # never tiny: whatever was left white around it is cut away, so it fills the size that was chosen
    width, height = page.locator("#preview .impression image").evaluate(
        """async it => { const i = new Image(); i.src = it.getAttribute('href'); await i.decode();
          return [i.naturalWidth, i.naturalHeight]; }"""
    )
    assert max(width, height) >= 400


# 3 --- OpenSign#172, documenso#2088


def test_3_a_seal_lands_where_it_was_put_whatever_the_screen_and_never_outside(
    office: Office, opens: Opens
) -> None:
    seal_id = usable_seal(office.world)
    ident = open_document(office, seal_id)
    places = []
    for window in (
        {"viewport": {"width": 1400, "height": 900}},
        {"viewport": PHONE, "device_scale_factor": 3},
    ):
        page = opens(office.world.user, f"/sealing/new/{ident}", **window)
        page.wait_for_selector("seal-placement .stamp:not([hidden])")
        wait_until(page, "document.querySelector('.leaf').naturalWidth > 0")
        leaf = page.locator(".leaf")
        leaf.scroll_into_view_if_needed()
        box = leaf.bounding_box()
        assert box is not None
        leaf.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.4})
        places.append([page.locator(f"#field-{name}").input_value() for name in ("x_pt", "y_pt")])
        page.locator(".stamp").focus()
        for _ in range(80):
            page.keyboard.press("Shift+ArrowRight")
            page.keyboard.press("Shift+ArrowDown")
        stamp, paper = page.locator(".stamp").bounding_box(), leaf.bounding_box()
        assert stamp and paper
        assert stamp["x"] + stamp["width"] <= paper["x"] + paper["width"] + 1
        assert stamp["y"] + stamp["height"] <= paper["y"] + paper["height"] + 1

    on_desk, on_phone = [[float(value) for value in place] for place in places]
    assert on_desk == pytest.approx(on_phone, abs=1.5)  # points; a pixel of a phone's page is 1.6 of them
    user = office.browser(office.world.user)
    user.get(f"/sealing/new/{ident}")
    said = {
        "seal_id": str(seal_id),
        "page": "1",
        "x_pt": "5000",
        "y_pt": "10",
        "station_id": str(office.world.station.id),
    }
    answer = user.post(f"/sealing/new/{ident}", said)
    assert answer.status_code == 422
    assert "页面" in sentences(answer)


# 4 --- spiff-arena#1577


def test_4_a_form_that_is_refused_says_so_where_one_looks(office: Office, opens: Opens) -> None:
    page = opens(office.applicant, "/applications/new/official")
    page.evaluate("document.querySelector('form#application').noValidate = true")
    page.fill("#field-seal_name", "预算处合同专用章")

    page.get_by_role("button", name="提交申请").click()

    summary = page.locator(".errors")
    expect(summary).to_be_focused()
    assert on_screen(page, ".errors strong")
    link = summary.locator("a").first
    field = (link.get_attribute("href") or "").removeprefix("#")
    link.click()
    assert page.evaluate(
        "id => { const box = document.getElementById(id).getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight }",
        field,
    )
    expect(page.locator("#field-seal_name")).to_have_value("预算处合同专用章")
    page.get_by_role("button", name="提交申请").click()  # it is not dead: it says the same again
    expect(page.locator(".errors")).to_be_focused()


# 5 --- camunda#41328, #17609, #17525; docuseal#632


def test_5_what_was_typed_is_there_again(office: Office, opens: Opens) -> None:
    page = opens(office.colleague, "/account")  # another person's window does not see it
    mine = opens(office.applicant, "/applications/new/personal_name")
    with mine.expect_response(lambda answer: "draft" in answer.url and answer.request.method == "POST"):
        mine.fill("#field-reason", "审批文件用名章，原章已磨损。")
    mine.close()  # as when the battery is empty

    again = opens(office.applicant, "/applications/new/personal_name", viewport=TURNED)
    expect(again.get_by_text("保存的草稿")).to_be_visible()
    expect(again.locator("#field-reason")).to_have_value("审批文件用名章，原章已磨损。")
    page.goto("/applications/new/personal_name")
    expect(page.get_by_text("保存的草稿")).to_have_count(0)

    again.context.clear_cookies()  # logged out meanwhile: the refused form costs nothing either
    again.goto("/login")
    back = opens(office.applicant, "/applications/new/personal_name")
    expect(back.locator("#field-reason")).to_have_value("审批文件用名章，原章已磨损。")


# 6 --- documenso#2652, docuseal#672


def test_6_nobody_is_rejected_without_a_reason_and_the_applicant_is_told(office: Office) -> None:
    task_id = review_task(office)
    reviewer, applicant = office.browser(office.world.office), office.browser(office.applicant)
    reviewer.get(f"/inbox/{task_id}")

    refused = reviewer.post(f"/inbox/{task_id}/complete", {"decision": "send_back"})
    assert refused.status_code == 422
    assert "opinion" in refused.text and "退回" in sentences(refused)
    done = reviewer.post(
        f"/inbox/{task_id}/complete", {"decision": "send_back", "opinion": "名称须与印文一致"}
    )

    assert done.status_code == 302
    gathering.gather()
    told = sentences(applicant.get("/notices"))
    assert "退回" in told and "名称须与印文一致" in told
    [row] = [r for r in tasks.inbox(office.applicant) if r.node == "correct"]
    assert "名称须与印文一致" in sentences(applicant.get(f"/inbox/{row.id}"))


# 7 --- camunda#24178, #36860, #26744


def test_7_what_is_due_first_comes_first_filters_are_addresses_and_names_are_in_order(office: Office) -> None:
    mine = office.world.person("due", "钟当值", office.world.bureau, "seal_office")
    wanted = [review_task(office) for _ in range(3)]
    rows = list(db.session.scalars(sa.select(FlowTask).where(FlowTask.id.in_(wanted))))
    for row, days in zip(rows, (9, -2, None), strict=True):
        row.due_at = now() + timedelta(days=days) if days is not None else None
    db.session.commit()
    late, later, never = rows[1].id, rows[0].id, rows[2].id
    browser = office.browser(mine)

    def listed(path: str) -> list[int]:
        found = re.findall(r'class="list-item" href="/inbox/(\d+)', browser.get(path).text)
        return [ident for ident in map(int, found) if ident in wanted]

    assert listed("/inbox") == [late, later, never]
    assert listed("/inbox?due=late") == [late]
    assert listed("/inbox?due=late&q=nothing-like-it") == []
    assert listed("/inbox?sort=arrived") == sorted(wanted, reverse=True)
    for name in ("张三", "阿明", "李四", "Zoe", "王五"):
        office.world.person(name, name, office.world.finance)
    names = [
        user.name for user in people.people_of(office.world.finance) if user.name in "张三阿明李四Zoe王五"
    ]
    assert names == ["Zoe", "阿明", "李四", "王五", "张三"]


# 8 --- camunda#48240, #18687


def test_8_after_an_act_the_list_is_right_and_the_next_task_is_open(office: Office, opens: Opens) -> None:
    clerk = office.world.person("next", "后继", office.world.bureau, "seal_office")
    first, second = review_task(office), review_task(office)
    page = opens(clerk, f"/inbox/{first}", viewport={"width": 1400, "height": 900})
    item = page.locator(f".list-item[href^='/inbox/{first}']")
    expect(item).to_have_count(1)

    page.click("button[name=decision][value=approve]")
    page.wait_for_url(lambda url: f"/inbox/{first}" not in url)

    expect(item).to_have_count(0)
    expect(page.locator("button[name=decision][value=approve]")).to_be_visible()
    assert page.locator(".list-item[aria-current]").count() == 1
    assert page.locator(f".list-item[href^='/inbox/{second}']").count() == 1
    page.go_back()  # what the browser remembers is not shown for what is so
    expect(page.locator("button[name=decision]")).to_have_count(0)
    assert sentences(office.browser(clerk).get(f"/inbox/{first}")).count("同意") >= 1


# 9 --- spiff-arena#1062; docuseal#33, #322


def test_9_at_the_same_time_everybody_sees_their_own_task_and_can_pass_it_on(
    office: Office, tmp_path: Path
) -> None:
    unit = office.world.finance
    a, b, c = (office.world.person(f"vote-{n}", f"会签{n}", unit) for n in "甲乙丙")
    place = tmp_path / votes.KEY
    (place / "forms").mkdir(parents=True)
    (place / f"{votes.KEY}.bpmn").write_bytes(votes.drawing())
    (place / "forms" / "vote.json").write_text(json.dumps(votes.FORM))
    commands.load_files(folder=tmp_path, by=SYSTEM)
    commands.start(votes.KEY, {"voters": [a.id, b.id]}, business_key="story/9", by=a)

    [of_a], [of_b] = tasks.inbox(a), tasks.inbox(b)

    assert of_a.id != of_b.id
    for path in (f"/inbox/{of_b.id}",):
        assert office.browser(a).get(path).status_code in (403, 404)
    with pytest.raises((Forbidden, NotFound)):
        commands.complete(of_b.id, {"decision": votes.YES}, by=a)
    handing.hand_on(of_a.id, c.id or 0, "出差在外", by=a)
    assert tasks.inbox(a) == []
    [of_c] = tasks.inbox(c)
    commands.complete(of_c.id, {"decision": votes.YES}, by=c)
    commands.complete(of_b.id, {"decision": votes.YES}, by=b)
    assert tasks.inbox(c) == tasks.inbox(b) == []


# 10 --- spiff-arena#736, #691; bpmn-js-spiffworkflow#55

JARGON = re.compile(r"\b(None|null|undefined|NaN|Traceback|Error:|Exception|lxml|KeyError|NoneType|schema)\b")
SCRIPT = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
<process id="p" name="x" isExecutable="true"><startEvent id="a"/><scriptTask id="calc" name="\xe8\xae\xa1\xe7\xae\x97\xe9\x87\x91\xe9\xa2\x9d">
<script>amount = 1</script></scriptTask><endEvent id="z"/>
<sequenceFlow id="f" sourceRef="a" targetRef="calc"/><sequenceFlow id="g" sourceRef="calc" targetRef="z"/></process></definitions>"""


def test_10_the_editor_speaks_of_steps_and_not_of_programs(office: Office) -> None:
    owner = office.world.person("owner", "冯源", office.world.bureau, "process_owner")

    def packed(name: str, data: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, data)
        return out.getvalue()

    wrong = {
        "empty.bpmn": b"",
        "text.bpmn": b"hello",
        "cut.bpmn": SCRIPT[:300],
        "script.bpmn": SCRIPT,
        "json.zip": packed("forms/review.json", b'{"fields": null}'),
        "code.zip": packed("run.py", b"print(1)"),
        "broken.zip": b"PK\x03\x04 and no more",
    }
    for language in ("zh", "en"):
        browser = office.browser(owner, language)
        for name, data in wrong.items():
            browser.get("/studio/import")
            answer = browser.post("/studio/import", {"file": (io.BytesIO(data), name)})
            if (
                answer.status_code == 302
            ):  # a draft may hold mistakes; its page says which, by the step's name
                draft = answer.location.partition("/drafts/")[2].partition("/")[0]
                found = browser.get(f"/studio/drafts/{draft}/problems", Accept="application/json").json
                said = json.dumps(found, ensure_ascii=False)
                assert "计算金额" in said, name
                assert JARGON.search(said) is None, (name, said)
                continue
            assert answer.status_code == 422, (name, answer.status_code)
            said = sentences(answer)
            assert JARGON.search(said) is None, (name, JARGON.search(said))
    ident = browser.post("/studio/flows/seal_approval/drafts").location
    for page in (ident + "/steps", ident + "/tables/routing.dmn"):
        shown = browser.get(page).text
        fields = re.findall(r"<(?:input|textarea)[^>]*?value=\"([^\"]*)\"", shown)
        assert not [v for v in fields if re.search(r"[<>]|&lt;|\$\{|==|lambda|date and time\(", v)], page
