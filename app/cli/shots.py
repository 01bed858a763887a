"""`yinxu shots`: a picture of every page, in both languages, on a desk and on a phone."""

import contextlib
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.demo.furnish import Site


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("shots"), show_default=True,
    help="Where the pictures go.",
)  # fmt: skip
@click.option("--only", default="", help="Only pages whose name holds this text.")
@click.option(
    "--server", default="", help="Of a demo that serves already, as it printed it.  [default: one of its own]"
)
@click.option("--agent", default="", help="With --server: the address of its station's page.")
@click.option(
    "--logins",
    type=click.File(),
    help='With --server: its logins as JSON, {"login": "password"}; - for stdin.',
)
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default=Path("var/shots-stage"), show_default=True,
    help="The folder of its own demo; emptied by each run.",
)  # fmt: skip
def command(out: Path, only: str, server: str, agent: str, logins: IO[str] | None, var: Path) -> None:
    """Walk the demo's story, put some work under way, then take a picture of every page: zh and en, 1400 and 390
    pixels wide, the main ones also in the dark. One line a picture.

    Exit code 1 when a page does not answer as it should, its console complains (the content policy speaks there),
    or it scrolls sideways on a phone.
    """
    from app.demo import shots
    from app.demo.furnish import NotFurnished, Site
    from app.demo.place import NotOurs
    from app.demo.stage import StageBroken
    from app.demo.story import StoryBroken

    if bool(server) != bool(logins):
        raise click.UsageError("--server and --logins belong together")
    try:
        if logins:
            faults = shots.take(
                Site(server.rstrip("/"), agent.rstrip("/"), json.load(logins)), out, only, click.echo
            )
        else:
            with _own_demo(var.resolve()) as site:
                faults = shots.take(site, out, only, click.echo)
    except (NotOurs, StageBroken, StoryBroken, NotFurnished) as error:
        click.echo(f"shots: {error}", err=True)
        sys.exit(1)
    for fault in faults:
        click.echo(f"FAULT {fault}", err=True)
    sys.exit(1 if faults else 0)


@contextlib.contextmanager
def _own_demo(folder: Path) -> Generator["Site"]:
    """A demo that has told its story and serves until the pictures are taken."""
    from app import servers
    from app.demo import run
    from app.demo.furnish import Site

    with run.staged(folder, servers.free_port(), servers.free_port(), lambda _line: None) as playing:
        run.story(playing, lambda _line: None)
        yield Site(playing.stage.address, playing.stage.agent_address, playing.stage.passwords)
