"""`yinxu shots`: a picture of every page, in both languages, on a desk and on a phone."""

import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("shots"), show_default=True,
    help="Where the pictures go.",
)  # fmt: skip
@click.option("--only", default="", help="Only pages whose name holds this text.")
@click.option(
    "--var", type=click.Path(file_okay=False, path_type=Path), default=Path("var/shots"), show_default=True,
    help="The folder of the demo that is photographed; emptied by each run.",
)  # fmt: skip
def command(out: Path, only: str, var: Path) -> None:
    """Walk the demo's story, then take a picture of every page: zh and en, 1400 and 390 pixels, some dark.

    Exit code 1 when a page does not answer as it should, breaks its content policy, or scrolls sideways.
    """
    from app import servers
    from app.demo import run, shots

    def say(line: str) -> None:
        click.echo(line)

    with run.staged(var.resolve(), servers.free_port(), servers.free_port(), lambda _line: None) as playing:
        result = run.story(playing, lambda _line: None)
        faults = shots.take(playing, result.told, out, only, say)
    for fault in faults:
        click.echo(f"FAULT {fault}", err=True)
    sys.exit(1 if faults else 0)
