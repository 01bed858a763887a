"""What an address asks of the inbox: pure, so without a database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows.wanted import DUE, FACETS, SORTS, WHOSE, Borders, Place, Wanted

NAMES = st.sampled_from(("p", "seal_lifecycle", "步骤.2-a"))
WANTED = st.builds(
    Wanted,
    flow=NAMES,
    step=st.builds("{}:{}".format, NAMES, NAMES),
    due=st.sampled_from(("", *DUE)),
    whose=st.sampled_from(("", *WHOSE)),
    unit=st.integers(1, 10**6).map(str),
    kind=NAMES,
    q=st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=20),
    sort=st.sampled_from(SORTS),
)


@settings(max_examples=50)
@given(WANTED)
def test_every_combination_is_an_address_and_comes_back_as_itself(wanted: Wanted):
    assert Wanted.of(wanted.address) == wanted
    assert all(getattr(wanted.without(name), name) == "" for name in FACETS)


@given(st.dictionaries(st.sampled_from((*FACETS, "q", "sort", "show")), st.text(max_size=200)))
def test_whatever_an_address_says_it_asks_for_something_that_makes_sense(said: dict[str, str]):
    wanted = Wanted.of(said)

    assert Wanted.of(wanted.address) == wanted
    assert len(wanted.q) <= 100 and wanted.due in ("", *DUE) and wanted.whose in ("", *WHOSE)


def test_addresses_from_before_filters_combined_still_lead_there():
    assert Wanted.of({"show": "free"}) == Wanted(whose="free")
    assert Wanted.of({"show": "soon", "q": " 财务  章 "}) == Wanted(due="soon", q="财务 章")


@given(
    st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 10**9 - 1),
)
def test_a_place_in_the_list_is_an_address(at: datetime | None, ident: int):
    assert Place.of(str(Place(at, ident))) == Place(at, ident)


@pytest.mark.parametrize("said", ["", "none", "x-1", "1-", "-1-1", "none-1; drop", "9" * 18 + "-1"])
def test_a_place_that_is_none_is_the_beginning(said: str):
    assert Place.of(said) is None


def test_days_are_those_of_the_organisation_and_a_week_ends_with_its_sunday():
    wednesday = datetime(2026, 11, 25, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))

    borders = Borders.of(wednesday)

    midnight = datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert (borders.today, borders.tomorrow) == (midnight, midnight + timedelta(days=1))
    assert borders.week == midnight + timedelta(days=4), "Monday, 30 November, begins the next"
