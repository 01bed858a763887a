"""`yinxu demo`: the whole story on this machine, on servers, keys and cards of its own."""

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from app.demo.leftover import DEFAULT_FOLDER


@click.command()
@click.option("--once", is_flag=True, help="Exit after the story; 0 only if every step held.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output at the end.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Of the pages.")
@click.option(
    "--agent-port",
    type=click.IntRange(1, 65535),
    default=9443,
    show_default=True,
    help="Of the station's page.",
)
@click.option(
    "--var",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="A folder of its own; emptied by each run.",
)
def command(once: bool, as_json: bool, port: int, agent_port: int, var: Path) -> None:
    """Start everything, walk one seal from its application to a verified document, then keep serving.

    DATABASE_URL and REDIS_URL choose other servers; a database that the demo did not make is refused.
    """
    from app.demo import run
    from app.demo.place import NotOurs
    from app.demo.stage import StageBroken
    from app.demo.story import StoryBroken

    _stop_on_sigterm()

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    try:
        with run.staged(var.resolve(), port, agent_port, say) as stage:
            result = run.story(stage, say)
            if as_json:
                click.echo(json.dumps(result.as_json(), ensure_ascii=False))
            run.tell_end(result, say)
            if not result.held:
                sys.exit(1)
            if not once:
                run.tell_logins(stage, say)
                threading.Event().wait()
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
    except (NotOurs, StageBroken, StoryBroken) as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)


def _stop_on_sigterm() -> None:
    """SIGTERM ends the demo as Ctrl-C does: everything that was started is stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
