"""`yinxu bench`: measure, against something in the same run."""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, cast

import click

from app import bench
from app.bench.measure import Measure

TOOLS = frozenset(
    {
        "measure",
        "chains",
        "naive",
        "stage",
        "bare_cards",
        "one_station",
        "one_signer",
        "plain_pyhanko",
        "plain_openpyxl",
    }
)
"""Modules of app/bench that benches stand on."""


class _UnknownBench(click.UsageError):
    exit_code = 64


def names() -> list[str]:
    """The benches that exist: modules of app/bench, by name."""
    return sorted(found.name for found in pkgutil.iter_modules(bench.__path__) if found.name not in TOOLS)


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a measure.")
@click.option("--check", is_flag=True, help="Exit with 1 when a ratio is below its goal.")
@click.option(
    "--db",
    "places",
    metavar="URL",
    multiple=True,
    help="The database to measure on, for benches that use one; several: one after the other.",
)
def command(name: str | None, as_json: bool, check: bool, places: tuple[str, ...]) -> None:
    """Run the bench NAME: a line a measure (name, ours, unit, baseline, ratio, goal). Without NAME: list them."""
    known = names()
    if name is None:
        for one in known:
            click.echo(f"{one:12} {_module(one).__doc__.strip().splitlines()[0]}")
        return
    if name not in known:
        raise _UnknownBench(f"no bench '{name}'; there are: {', '.join(known)}")
    missed = 0
    for measure in _on_each(name, places):
        click.echo(json.dumps(measure.line()) if as_json else _said(measure))
        missed += measure.goal is not None and measure.ratio < measure.goal
    if check and missed:
        raise SystemExit(1)


def _on_each(name: str, places: tuple[str, ...]) -> Iterator[Measure]:
    for db in places or (None,):
        yield from _measures(name, db)


def _module(name: str) -> Any:
    return importlib.import_module(f"app.bench.{name}")


def _measures(name: str, db: str | None) -> Iterator[Measure]:
    """A bench that takes a database says so by a parameter of that name."""
    run = cast("Callable[..., Iterator[Measure]]", _module(name).measures)
    takes_db = "db" in run.__code__.co_varnames[: run.__code__.co_argcount + run.__code__.co_kwonlyargcount]
    return run(db=db) if takes_db else run()


def _said(measure: Measure) -> str:
    goal = "" if measure.goal is None else f"  goal {measure.goal:g}"
    return (
        f"{measure.name:28} {measure.ours:>12,.1f} {measure.unit:14} "
        f"baseline {measure.baseline:>12,.1f}  ratio {measure.ratio:>7.2f}{goal}"
    )
