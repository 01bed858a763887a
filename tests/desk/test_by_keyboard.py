"""A member of staff does the day's work without a mouse (shows 4 of the desk)."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.db import db
from app.flows.models import FlowTask
from tests.desk.conftest import Opens
from tests.desk.keyboard import Keyboard
from tests.desk.test_ten_complaints import review_task
from tests.journeys.office import Office

pytestmark = pytest.mark.browser


def status(task_id: int) -> str:
    db.session.rollback()
    return db.session.scalar(sa.select(FlowTask.status).where(FlowTask.id == task_id)) or ""


def test_a_day_at_the_desk(office: Office, opens: Opens) -> None:
    agreed, returned = review_task(office), review_task(office)
    page = opens(office.world.office, "/inbox", viewport={"width": 1400, "height": 900})
    keyboard = Keyboard(page)

    keyboard.press("j").press("Enter")
    page.wait_for_url(re.compile(rf"/inbox/{agreed}"))
    keyboard.reach("审批意见").type("印文清楚").reach("同意", back=False).press()
    page.wait_for_url(re.compile(rf"/inbox/{returned}"))
    assert status(agreed) == "done"

    keyboard.reach("退回修改").press()
    expect(page.locator(".errors")).to_be_focused()  # a reason is wanted
    keyboard.reach("请填写审批意见").press().type("名称须与印文一致").reach("退回修改").press()
    page.wait_for_url(lambda url: f"/inbox/{returned}" not in url)
    assert status(returned) == "done"

    page.goto("/away")
    keyboard.reach("代理人").choose("王敏").reach("最后一天")
    for _ in range(3):  # year, month and day, in whatever order this browser has them: some day next year
        keyboard.press("ArrowUp").press("ArrowUp").press("ArrowRight")
    keyboard.reach("原因").type("出差")
    keyboard.reach("设定").press()
    expect(page.get_by_text("出差")).to_be_visible()


def test_an_application_is_filed(office: Office, opens: Opens) -> None:
    page = opens(office.applicant, "/applications/new", viewport={"width": 1400, "height": 900})
    keyboard = Keyboard(page)

    keyboard.reach("名章").press()
    page.wait_for_url(re.compile("personal_name"))
    keyboard.reach("印章所有人").choose("李航").reach("申请理由").type("审批文件用名章")
    keyboard.reach("提交申请").press()

    expect(page.locator(".errors")).to_be_focused()  # the scan is missing; all else is kept
    expect(page.locator("#field-reason")).to_have_value("审批文件用名章")
    link = page.locator(".errors a").first.inner_text()
    keyboard.reach(link).press()
    assert page.evaluate("document.activeElement.closest('.field, fieldset, [id^=field-]') !== null")
