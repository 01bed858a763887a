"""The library's pages: what each person sees and may do there."""

import io

import pytest
from PIL import Image

from app.impressions import queries
from app.impressions.consequences import touched_by_impressions
from app.text import Text
from app.touched import Touched
from tests.impressions.makers import Bureau


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_library_says_what_will_come(bureau: Bureau, language: str) -> None:
    client = bureau.browser(bureau.office)
    client.set_cookie("language", language)

    page = client.get("/impressions").text

    assert ("申请获批准后" if language == "zh" else "come here by themselves") in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_library_leads_to_an_impression_and_its_past(bureau: Bureau, language: str) -> None:
    old, new = bureau.register("A").impression_id, bureau.register("B").impression_id
    client = bureau.browser(bureau.manager)
    client.set_cookie("language", language)

    library, page = client.get("/impressions").text, client.get(f"/impressions/{old}").text

    assert f"/impressions/{old}/thumbnail.png" in library
    assert ("已被替换" if language == "zh" else "Displaced") in page
    assert f"/impressions/{new}" in page
    assert ("无限期" if language == "zh" else "no end") in page


def test_the_clear_picture_carries_the_viewers_name_and_is_small(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    client = bureau.browser(bureau.overseer)

    shown = client.get(f"/impressions/{one}/image.png")
    small = client.get(f"/impressions/{one}/thumbnail.png")

    assert shown.data != queries.clear_png(one)
    assert shown.headers["Cache-Control"].startswith("private")
    assert max(Image.open(io.BytesIO(small.data)).size) <= 72


@pytest.mark.parametrize("path", ["", "/image.png", "/thumbnail.png"])
def test_others_are_turned_away(bureau: Bureau, path: str) -> None:
    one = bureau.register().impression_id

    for who in (bureau.clerk, bureau.neighbour):
        assert bureau.browser(who).get(f"/impressions/{one}{path}").status_code == 403
    assert bureau.browser().get(f"/impressions/{one}{path}").status_code in (302, 401)


def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    client = bureau.browser(bureau.manager)

    page = client.post(
        f"/impressions/{one}/destroy", data={"destroy_reason": "机构撤销", "destroy_seals": "sell"}
    )

    assert page.status_code == 422
    assert "Say what becomes" in page.text or "请选择已制成的印章" in page.text
    assert "机构撤销</textarea>" in page.text


def test_the_confirmation_names_what_is_touched(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    @touched_by_impressions("test")
    def seals(_impression_id: int) -> list[Touched]:
        return [Touched("合同专用章", Text("卡 SC1,使用者张三", "card SC1, used by Zhang San"), "/seals/1")]

    page = bureau.browser(bureau.manager).get(f"/impressions/{one}").text
    seals_untold = touched_by_impressions("test")
    seals_untold(lambda _impression_id: [])

    assert page.count("使用者张三") == 3  # on the page and in both dialogs


def test_those_who_only_look_get_no_buttons(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    client = bureau.browser(bureau.overseer)

    assert "data-opens" not in client.get(f"/impressions/{one}").text
    assert client.post(f"/impressions/{one}/suspend", data={"suspend_reason": "试试"}).status_code == 403


def test_the_library_speaks_json_too(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    told = (
        bureau.browser(bureau.office).get("/impressions", headers={"Accept": "application/json"}).get_json()
    )

    assert [(i["impression_id"], i["status"]) for i in told["impressions"]] == [(one, "effective")]
