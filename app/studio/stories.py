"""Example stories as a draft holds them: YAML text, read within bounds and checked for what they must be. Pure."""

from collections.abc import Mapping
from typing import Any, cast

import yaml

from app.text import Text

MOST_BYTES = 64 * 1024
MOST_STEPS = 200
MOST_DEEP = 20


def read(text: str) -> dict[str, Any]:
    """A story. Raises ValueError for what is none."""
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES // 1024} KB")
    if any(isinstance(token, yaml.AliasToken) for token in _tokens(text)):
        raise ValueError("it refers to itself (*)")
    try:
        said: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(said, dict):
        raise ValueError("it is no story")
    story = cast("dict[str, Any]", said)
    _check(story)
    return story


def _tokens(text: str) -> list[Any]:
    """The tokens, which are bounded where what they stand for need not be."""
    try:
        return list(yaml.scan(text))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _check(story: Mapping[str, Any]) -> None:
    steps: Any = story.get("story") or []
    for name in ("title", "data", "answers", "people", "then"):
        if not isinstance(story.get(name) or {}, dict):
            raise ValueError(f"{name}: pairs of a name and a value are wanted")
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in cast("list[Any]", steps)):
        raise ValueError("story: a list of steps is wanted")
    if len(cast("list[Any]", steps)) > MOST_STEPS:
        raise ValueError(f"more than {MOST_STEPS} steps")


def faults(stories: Mapping[str, Any]) -> dict[str, Text]:
    """What is wrong, by the story's name."""
    found: dict[str, Text] = {}
    for name, text in stories.items():
        try:
            read(str(text))
        except ValueError as error:
            found[name] = Text(f"示例“{name}”读不懂：{error}", f"The story “{name}” cannot be read: {error}")
    return found


def read_all(stories: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Those that can be read."""
    found: dict[str, dict[str, Any]] = {}
    for name, text in stories.items():
        try:
            found[name] = read(str(text))
        except ValueError:
            continue
    return found


def title_of(name: str, story: Mapping[str, Any]) -> Text:
    said: Mapping[str, Any] = story.get("title") or {}
    return Text(str(said.get("zh") or name), str(said.get("en") or name))
