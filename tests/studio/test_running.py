"""What runs by a version is listed where its number stands, and goes on by another version from there."""

from datetime import timedelta

import pytest
from flask import Flask

from app.clock import now
from app.db import db
from app.flows import versions
from app.flows.models import FlowInstance
from app.studio import running
from tests.flows.test_views import apply, logged_in
from tests.people.makers import Town
from tests.studio.test_releasing import a_draft, publish


def by_version(instance_id: int) -> int:
    db.session.expire_all()
    ident = db.session.get_one(FlowInstance, instance_id).definition_id
    return next(n for n in (1, 2) if versions.version("seal_lifecycle", n).id == ident)


def test_what_runs_by_a_version_is_found_from_its_number_and_goes_on_by_another(
    app: Flask, people_here: Town, monkeypatch: pytest.MonkeyPatch
):
    first, second, third = (apply(people_here, n) for n in (7, 8, 9))
    actor = people_here.actor("owner")
    publish(a_draft(actor), actor)
    owner = logged_in(app, "owner")
    lists = "/studio/flows/seal_lifecycle/running"

    # the numbers lead to the list; the flow that is called shows those of its caller and says whose they are
    assert f'href="{lists}?version=1"' in owner.get("/studio/flows/seal_lifecycle").text
    assert f'href="{lists}"' in owner.get("/studio/").text
    called = owner.get("/studio/flows/seal_approval/running?version=1").text
    assert f'href="{lists}?version=1"' in called and 'name="instance"' not in called
    assert "没有在办的流程" in owner.get(f"{lists}?version=2").text

    # page by page, and none twice
    monkeypatch.setattr(running, "AT_ONCE", 2)
    page = owner.get(f"{lists}?version=1").text
    assert (
        f'name="instance" value="{third}"' in page
        and f'name="instance" value="{first}"' not in page
        and f"before={second}" in page
    )
    assert f'name="instance" value="{first}"' in owner.get(f"{lists}?version=1&before={second}").text

    # refused forms keep what was ticked; trying changes nothing
    said = {"version": "1", "instance": str(first)}
    for wrong in (said, {"version": "1", "to": "2"}, {**said, "to": "99"}):
        assert owner.post(lists, {**wrong, "do": "move"}).status_code in (404, 422)
    tried = owner.post(lists, {**said, "to": "2", "do": "try", "before": str(second)})
    assert tried.status_code == 200 and "1 件可以改" in tried.text and "checked" in tried.text
    assert by_version(first) == 1

    # one, then all that are left; again, and there is nothing more to move
    assert owner.post(lists, {**said, "to": "2", "do": "move"}).status_code == 302
    assert (by_version(first), by_version(second)) == (2, 1)
    assert owner.post(lists, {"version": "1", "all": "1", "to": "2", "do": "move"}).status_code == 302
    assert [by_version(i) for i in (first, second, third)] == [2, 2, 2]
    assert owner.post(lists, {"version": "1", "all": "1", "to": "2", "do": "move"}).status_code == 422

    # nobody is moved to what is not in force yet; nobody else sees the list
    publish(a_draft(actor, 1, level=2), actor, effective_from=now() + timedelta(days=1))
    later = versions.version("seal_lifecycle").version
    assert owner.post(lists, {"version": "2", "all": "1", "to": str(later), "do": "move"}).status_code == 422
    office = logged_in(app, "office")
    assert office.get(lists).status_code == office.post(lists, {**said, "to": "2"}).status_code == 403
