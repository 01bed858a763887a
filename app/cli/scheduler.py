"""`yinxu scheduler`: once a second, nudge what is due."""

import click


@click.command()
def command() -> None:
    """Nudge sequencing of the log and the due timers, once a second, until SIGTERM."""
    from app.factory import create_app
    from app.worker import schedule

    schedule(create_app(pages=False, diagrams=False))
