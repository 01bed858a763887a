"""`yinxu drill`: play what must hold under load, for real, and judge it. Each module of app/drill is one."""

import importlib
import pkgutil

import click

from app import drill

TOOLS = frozenset(
    {
        "cards_drill",
        "cards_odd",
        "cards_soak",
        "cards_station",
        "cards_table",
        "cast",
        "clerk",
        "forger",
        "judge",
    }
)
"""Modules of app/drill that are no drills."""


class _Drills(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(found.name for found in pkgutil.iter_modules(drill.__path__) if found.name not in TOOLS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = importlib.import_module(f"app.drill.{cmd_name}").command
        return found


@click.group(cls=_Drills)
def command() -> None:
    """Play what must hold under load, with real processes on a database of its own, and judge it."""
