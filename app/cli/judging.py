"""Commands whose exit code is a verdict: 1 means "altered" or "broken" and nothing else, ever.

sysexits.h: 64 used incorrectly, 69 something we depend on does not answer, 70 a fault of ours, 78 wrong settings.
"""

import sys
import traceback
from typing import Any, NoReturn

import click

from app.cli.faults import wrong_settings

USAGE, UNAVAILABLE, SOFTWARE, CONFIG, INTERRUPTED = 64, 69, 70, 78, 130


class Judging(click.Command):
    """Usage errors exit with 64, Ctrl-C with 130, and a fault of ours with 70 after its traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            _usage(error)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _usage(error)
        except click.exceptions.Exit:
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:
            if wrong_settings(error):  # the door tells them
                raise
            traceback.print_exc()
            click.echo("nothing is known: the command itself failed", err=True)
            sys.exit(SOFTWARE)


def _usage(error: click.UsageError) -> NoReturn:
    error.exit_code = USAGE  # pyright: ignore[reportAttributeAccessIssue] - click reads it from the instance
    raise error
