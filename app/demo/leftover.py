"""What a demo leaves behind can be asked about afterwards: `yinxu audit` needs no settings then.

Only where nothing else can be meant: no setting of an installation is given, and none lives in `var`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

DEFAULT_FOLDER = Path("var/demo")
FILE = "environment.json"
_NAMED_BY_THE_WORLD = ("DATABASE_URL", "REDIS_URL")


def keep(folder: Path, environment: Mapping[str, str]) -> None:
    """Write down how the demo's processes were started. Secrets stay in their files; only we may read it."""
    settings = {
        name: value
        for name, value in environment.items()
        if name.startswith("YINXU_") or name in _NAMED_BY_THE_WORLD
    }
    path = folder / FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps(settings, indent=1))


def settings_of(folder: Path, given: Mapping[str, str], var: Path = Path("var")) -> dict[str, str]:
    """The settings of the demo played in `folder`, or none when `given` or `var` speaks of an installation."""
    installed = any((var / name).exists() for name in ("yinxu.sqlite", "trust", "server-token"))
    if installed or any(name.startswith("YINXU_") for name in given) or not (folder / FILE).exists():
        return {}
    kept: dict[str, str] = json.loads((folder / FILE).read_text())
    others = [name for name in _NAMED_BY_THE_WORLD if given.get(name, kept.get(name)) != kept.get(name)]
    return {} if others else kept


def take_up() -> None:
    """Speak to the demo that was played here, if nobody else can be meant; says so on standard error."""
    found = settings_of(DEFAULT_FOLDER, os.environ)
    if found:
        os.environ.update(found)
        click.echo(f"no installation is configured: asking the demo's in {DEFAULT_FOLDER}", err=True)
