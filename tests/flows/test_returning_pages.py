"""Going back in a browser: the place, the reason, what comes back when something is missing."""

import re

import pytest
from flask import Flask

from app.flows import commands, queries
from tests.flows.makers import Hands
from tests.flows.returns import Office
from tests.flows.test_returning import a_line
from tests.flows.test_views import logged_in, settings  # noqa: F401  # pyright: ignore[reportUnusedImport]
from tests.people.makers import Town as People
from tests.people.makers import town as register_people


@pytest.fixture
def people(app: Flask, hands: Hands) -> People:
    return register_people()


def test_a_task_is_sent_back_withdrawn_and_taken_back_on_its_pages(app: Flask, people: People):
    clerk, clerk_pages, pages = people.actor("clerk"), logged_in(app, "clerk"), logged_in(app, "office")
    desk = Office(clerk, people.actor("office"), clerk, clerk)
    desk.begin(a_line("check", "sign"), owner_unit_id=people.department)
    desk.do("draft", clerk)
    check = desk.only("check").id

    page = pages.get(f"/inbox/{check}").text
    assert "退回到之前的步骤" in page and 'value="draft"' in page and clerk.name in page
    empty = pages.post(f"/inbox/{check}/back", {"to": "draft", "reason": " "})
    assert (empty.status_code, "请写明原因" in empty.text, 'href="#field-back-reason"' in empty.text) == (
        422,
        True,
        True,
    )
    english = logged_in(app, "office", "en").get(f"/inbox/{check}").text
    form = re.search(r'id="back".*?</section>|id="back".*?</details>', english, re.DOTALL)
    assert form is not None and re.findall(r"[一-鿿]+", form[0].replace(clerk.name, "")) == []
    sent = pages.post(f"/inbox/{check}/back", {"to": "draft", "reason": "缺少附件", "mode": "straight"})
    assert sent.status_code == 302
    assert "这项任务已由" in pages.get(f"/inbox/{check}").text
    assert "缺少附件" in clerk_pages.get(f"/inbox/{desk.only('draft').id}").text

    desk.do("draft", clerk)
    instance = f"/inbox/flow/{desk.instance_id}"
    assert "撤回流程" in clerk_pages.get(instance).text
    assert "撤回流程" not in pages.get(instance).text
    assert clerk_pages.post(f"{instance}/withdraw", {"reason": "写错了"}).status_code == 302
    assert desk.open == ["draft"]
    assert "申请人撤回" in clerk_pages.get(instance).text
    done = desk.do("draft", clerk).task_id
    assert "拿回重办" in clerk_pages.get(f"/inbox/{done}").text
    assert clerk_pages.post(f"/inbox/{done}/take-back").status_code == 302
    assert desk.open == ["draft"]
    told = [row.kind for row in queries.history(desk.instance_id)]
    assert [kind for kind in told if kind.endswith("back")] == ["came_back", "taken_back"]
    assert commands.complete(desk.only("draft").id, {}, by=clerk).node == "draft"
