"""The pages of stations and cards, in both languages, for those whose work it is."""

import base64
import io
import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from app.cards import commands, presence, queries
from tests.cards.makers import Browser, World, browser

PAGES = [
    "/stations",
    "/stations/1",
    "/stations/1/live",
    "/stations/live",
    "/cards",
    "/cards/new",
    "/cards/SC1",
]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_an_operator_reads_every_page_in_both_languages(world: World, page: str, language: str) -> None:
    world.register_cards()
    client = browser(world, world.operator)
    client.set_cookie("language", language)

    answer = client.get(page)

    assert answer.status_code == 200
    assert ("卡" in answer.text) or language == "en"


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_reads_none(world: World, page: str) -> None:
    assert browser(world, world.stranger).get(page).status_code == 403
    assert Browser(world.app, world.app.response_class).get(page).status_code in (302, 401)


def test_the_enrolment_code_is_shown_on_the_answer_and_never_again(world: World) -> None:
    client = browser(world, world.administrator)

    answer = client.post("/stations", data={"name": "二号", "unit_id": str(world.bureau)})

    code = answer.text.split('id="enrolment-code"><strong>')[1].split("<")[0]
    assert len(code) == 39
    assert code not in client.get("/stations").text


def test_a_bad_enrolment_keeps_the_page_and_says_what_is_wrong(world: World) -> None:
    answer = browser(world, world.administrator).post("/stations", data={"name": "", "unit_id": "1"})

    assert answer.status_code == 422 and "请填写名称" in answer.text


def test_the_administrator_sees_that_a_station_lives_and_not_what_it_makes(
    world: World, echo_kind: str
) -> None:
    """D6."""
    world.register_cards()
    commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)

    seen = browser(world, world.administrator).get(f"/stations/{world.station.id}").text
    operators = browser(world, world.operator).get(f"/stations/{world.station.id}").text

    assert "王工" not in seen and "王工" in operators


def test_a_card_in_a_reader_is_registered_without_uploading_anything(world: World) -> None:
    seen = {
        "slot": "0",
        "serial": "SC1",
        "label": "x",
        "certificate": base64.b64encode(world.card.der).decode(),
    }
    presence.heartbeat(world.station.id, [seen], ip="127.0.0.1")
    client = browser(world, world.operator)
    assert "SC1" in client.get("/cards/new").text

    form = {"serial": "SC1", "role": "seal", "keeping": "unit", "owner_unit_id": str(world.finance)}
    answer = client.post("/cards", data=form)

    assert answer.status_code == 302 and queries.card("SC1") is not None


def test_a_certificate_is_uploaded_as_pem_too(world: World) -> None:
    pem = world.maker.certificate.public_bytes(Encoding.PEM)
    form = {
        "serial": "MK1",
        "role": "maker",
        "keeping": "unit",
        "owner_unit_id": str(world.bureau),
        "certificate": (io.BytesIO(pem), "maker.pem"),
    }

    answer = browser(world, world.operator).post("/cards", data=form, headers={"Accept": "application/json"})

    assert answer.get_json() == {"card_serial": "MK1", "subject": "CN=某市公章制作中心"}


@pytest.mark.parametrize(
    ("upload", "code", "status"), [(b"", "请上传证书或插卡", 422), (b"junk", "证书无法读取", 409)]
)
def test_without_a_readable_certificate_the_form_comes_back(
    world: World, upload: bytes, code: str, status: int
) -> None:
    form = {
        "serial": "SC5",
        "role": "seal",
        "owner_unit_id": str(world.finance),
        "certificate": (io.BytesIO(upload), "c.der"),
    }

    answer = browser(world, world.operator).post("/cards", data=form)

    assert answer.status_code == status and code in answer.text and 'value="SC5"' in answer.text


def test_reporting_a_card_lost_shows_at_once(world: World) -> None:
    world.register_cards()
    client = browser(world, world.operator)

    client.post("/cards/SC1/lost", data={"reason": "遗失"})

    assert "已挂失" in client.get("/cards").text


def test_the_menu_marks_where_a_page_belongs(world: World) -> None:
    world.register_cards()

    page = browser(world, world.operator).get("/cards/SC1").text

    assert re.findall(r'<a href="([^"]+)" aria-current="page"', page) == ["/cards"]
