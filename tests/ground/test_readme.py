"""Both READMEs tell an administrator the same commands, and the commands are right."""

import re
import shlex
from pathlib import Path

import click
import pytest

from app.cli import COMMANDS, people
from app.glossary import OFFICERS
from app.people import rules

ROOT = Path(__file__).parents[2]
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")}
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def blocks(name: str) -> list[str]:
    return BLOCK.findall(TEXTS[name])


def test_both_languages_show_the_same_commands() -> None:
    assert blocks("README.md") == blocks("README.zh.md")


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_and_every_secret_is_named(name: str) -> None:
    assert [c for c in COMMANDS if not re.search(rf"`(yinxu )?{c}\b", TEXTS[name])] == []
    for variable in (
        "YINXU_SECRET_KEY_FILE",
        "YINXU_SERVER_TOKEN_PIN_FILE",
        "YINXU_PUBLIC_URL",
        "DATABASE_URL",
    ):
        assert variable in TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_the_ceremony_that_is_shown_appoints_the_three_officers(name: str) -> None:
    [shown] = [block for block in blocks(name) if "people init" in block]
    words = shlex.split(shown.replace("\\\n", " "))[3:]
    init = people.command.commands["init"]

    options = init.make_context("init", words, parent=click.Context(people.command)).params

    rules.check_credit_code(options["code"])
    assert {role for _login, _name, role in options["people"]} == OFFICERS
