"""`yinxu`: the one command-line door. Each command lives in the module of its name beside this file."""

import gc
import importlib
import os
import sys

import click

from app.cli.faults import unavailable, wrong_settings
from app.cli.judging import CONFIG, UNAVAILABLE
from app.refusal import Refusal

COMMANDS: dict[str, str] = {
    "demo": "Run the whole story on this machine, then keep serving",
    "serve": "Serve the pages and the agents' door",
    "worker": "Work one queue: audit, reports, mail or flows",
    "scheduler": "Nudge what is due, once a second",
    "db": "Bring the database to the newest shape, or show where it stands",
    "verify": "Is this sealed document genuine?",
    "seal": "Look into an electronic seal made anywhere; take one of ours out",
    "audit": "Prove that the log is whole",
    "flows": "List, check and export the diagrams",
    "decide": "Ask a decision table",
    "calendar": "Holidays and weekends that are worked",
    "people": "Units, people and roles from the command line",
    "stations": "Enrol card stations",
    "bench": "Measure, against something in the same run",
    "drill": "Play what must hold under load, and judge it",
    "trust": "The certificate authorities that are believed",
    "keys": "Create and rotate the server's keys",
    "shots": "Take a picture of every page",
}


WRITES_FOR_OTHERS = frozenset({"verify", "decide", "bench", "drill", "shots"})
"""Commands that keep nothing of ours; what all the others create, only we may read (umask 077)."""


class _Door(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"app.cli.{cmd_name}").command
        found.short_help = COMMANDS[cmd_name]
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Wrong settings and refusals are sentences, not stack traces."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            click.echo(f"{refusal.text.zh}\n{refusal.text.en}", err=True)
            sys.exit(1)
        except Exception as error:
            if wrong := wrong_settings(error):
                click.echo("The settings do not allow a start (docs/settings.md):", err=True)
                for sentence in wrong:
                    click.echo(f"  {sentence}", err=True)
                sys.exit(CONFIG)
            why = unavailable(error)
            if why is None:
                raise
            click.echo(f"{why.zh}\n{why.en}", err=True)
            sys.exit(UNAVAILABLE)


@click.group(cls=_Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="yinxu")
@click.pass_context
def main(context: click.Context) -> None:
    """Yinxu 印序: an organisation's electronic seals, from application to audit."""
    # thousands of small things are made once and stay: to look through them for litter takes a fifth of a start
    gc.set_threshold(50_000, 20, 50)
    if context.invoked_subcommand not in WRITES_FOR_OTHERS:
        os.umask(0o077)
