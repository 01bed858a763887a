"""Whatever a release has stored, this one restores and finishes; and moves to an equal version without a change."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.bpmn.migrate import move
from app.bpmn.step import resume
from app.refusal import Refusal
from tests.bpmn.diagrams import Hands
from tests.flows.golden.make import STORIES
from tests.flows.golden.play import joined, play

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


def told(file: Path) -> tuple[Any, dict[str, Any], bytes, datetime]:
    said: dict[str, Any] = orjson.loads(file.read_bytes())
    flows = joined(*((GOLDEN / name).read_bytes() for name in said["diagrams"]))
    return flows, said, orjson.dumps(said["state"]), datetime.fromisoformat(said["at"])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_an_instance_that_a_release_stored_is_restored_and_finished(file: Path):
    flows, said, state, at = told(file)
    hands = Hands(back={"n": 1}, do={"ok": True})

    ended, _ = play(flows, state, said["after"], at, hands)

    assert ended.finished
    assert orjson.loads(orjson.dumps(ended.data)) == said["end"]["data"]
    assert [name for name, _ in hands.asked] == said["end"]["asked"]


FORESEEN = 4
"""A task's state up to this one: it may come, and is foreseen anew by the next step."""


def standing(state: bytes) -> list[Any]:
    said = orjson.loads(state)
    return [
        [tree[:2], [[r[0], r[2], r[3], said["d"][r[5]], r[6]] for r in tree[7] if r[3] > FORESEEN]]
        for tree in said["w"]
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_move_to_an_equal_version_changes_nothing(file: Path):
    flows, said, state, at = told(file)
    before = resume(flows, state, host=Hands(), now=at).state()

    moved = move(flows, flows, state, {}, host=Hands(), now=at)

    assert (moved.blockers, moved.notes) == ([], [])
    assert moved.run is not None
    assert standing(moved.run.state()) == standing(before)
    ended, _ = play(flows, moved.run.state(), said["after"], at, Hands(back={"n": 1}, do={"ok": True}))
    assert ended.finished


def test_every_kind_of_wait_is_kept_of_some_release_and_every_format():
    said = [orjson.loads(file.read_bytes()) for file in FILES]
    assert {s["state"]["v"] for s in said} == {1, 2}
    assert {f.name.split(".")[0] for f in FILES} >= {story.name for story in STORIES}


def test_a_state_of_a_later_release_is_refused_in_words():
    flows, said, _state, at = told(next(f for f in FILES if f.name.startswith("user-task")))

    with pytest.raises(ValueError, match="unknown version") as refused:
        resume(flows, orjson.dumps({**said["state"], "v": 99}), host=Hands(), now=at)

    assert isinstance(refused.value, Refusal)
    assert "99" in refused.value.text.zh and "later release" in refused.value.text.en
