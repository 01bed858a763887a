"""`yinxu flows`: list what is published, check diagrams and tables, play stories, write versions back as files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from app.actor import SYSTEM


@click.group()
def command() -> None:
    """The flows: diagrams, rule tables and forms."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a version.")
def list_(as_json: bool) -> None:
    """Every published version, newest first, and how many instances run on it."""
    from app.factory import create_app
    from app.flows import queries

    with create_app().app_context():
        running = queries.running_by_definition()
        for row in queries.definitions():
            line: dict[str, Any] = {
                "key": row.key,
                "version": row.version,
                "label": row.label_zh,
                "label_en": row.label_en,
                "origin": row.origin,
                "published_at": row.published_at.isoformat(),
                "running": running.get(row.id, 0),
                "sha256": row.sha256,
            }
            words = f"{row.key:24} v{row.version:<4} {line['running']:>6}  {row.label_zh} · {row.label_en}"
            click.echo(json.dumps(line, ensure_ascii=False) if as_json else words)


@command.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check diagrams (.bpmn) and rule tables (.dmn): one JSON line a file. Without FILES: all of workflows/.

    A diagram that stands in a flow's folder (folder = file name) is also held against its forms, its tables and
    the registered actions. Exit code 0: all accepted, 1: one was rejected.
    """
    from app.flows.publishing import FOLDER

    chosen = files or tuple(sorted([*FOLDER.glob("*/*.bpmn"), *FOLDER.glob("*/*.dmn")]))
    rejected = False
    for file in chosen:
        problems = list(_problems(file))
        fatal = any(p["fatal"] for p in problems)
        rejected = rejected or fatal
        verdict = "rejected" if fatal else "accepted"
        click.echo(
            json.dumps({"file": str(file), "verdict": verdict, "problems": problems}, ensure_ascii=False)
        )
    if rejected:
        raise SystemExit(1)


def _problems(file: Path) -> Iterator[dict[str, object]]:
    """What is wrong with one file. Whatever goes wrong in finding out is a problem of the file too."""
    from app.refusal import Refusal

    try:
        content = file.read_bytes()
        yield from _of_table(content) if file.suffix == ".dmn" else _of_diagram(file, content)
    except OSError as error:
        yield _problem("unreadable", str(error.strerror or error))
    except Refusal as refusal:
        named = refusal.details.get("problems")
        if isinstance(named, list):
            yield from named
        else:
            element = str(refusal.details.get("element", ""))
            yield _problem(refusal.code.rpartition(".")[2], refusal.text.en, refusal.text.zh, element)
    except Exception as error:  # a hostile file must get an answer, not a traceback
        yield _problem("defect", f"{type(error).__name__} while reading the file")


def _of_table(content: bytes) -> Iterator[dict[str, object]]:
    from app.bpmn import decision

    try:
        decision.parse(content)
    except decision.DecisionError as error:
        yield _problem("table", error.text.en, error.text.zh, error.where)


def _of_diagram(file: Path, content: bytes) -> Iterator[dict[str, object]]:
    from app.bpmn.parse import parse
    from app.flows import publishing

    folder = file.resolve().parent
    if folder.name == file.stem and folder.parent == publishing.FOLDER:
        import workflows

        workflows.load_actions()
        said = publishing.read_flow(folder)
        flows = frozenset(path.parent.name for path in publishing.FOLDER.glob("*/*.bpmn"))
        yield from (
            p.as_json() for p in publishing.check(said.bpmn, said.tables, frozenset(said.forms), flows)
        )
    else:
        tables = {path.name: path.read_bytes() for path in file.parent.glob("*.dmn")}
        yield from (p.as_json() for p in parse(content, tables).warnings)


def _problem(rule: str, en: str, zh: str = "", element: str = "") -> dict[str, object]:
    return {
        "rule": rule,
        "element": element,
        "line": 0,
        "message": en,
        "message_zh": zh or en,
        "fatal": True,
    }


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--story", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def run(file: Path, story: Path, as_json: bool) -> None:
    """Play a story through a diagram, without tables or people. Exit code 1 when it goes another way."""
    from app.bpmn.parse import parse, program
    from app.bpmn.simulate import play
    from app.clock import now
    from app.glossary import role_of_lane

    def read(path: Path) -> Any:
        return parse(path.read_bytes(), {t.name: t.read_bytes() for t in path.parent.glob("*.dmn")})

    around = {path.stem: path for path in file.resolve().parent.parent.glob("*/*.bpmn")}
    called = {key: read(path) for key, path in around.items() if key == path.parent.name}
    said = yaml.safe_load(story.read_text("utf-8"))
    played = play(program(read(file), called), said, now=now(), role_of_lane=role_of_lane)
    if as_json:
        click.echo(json.dumps(vars(played), ensure_ascii=False))
    else:
        click.echo(" → ".join(played.passed))
        click.echo("\n".join(played.problems) or "as told")
    if played.problems:
        raise SystemExit(1)


@command.command()
@click.argument("key")
@click.option("--version", type=int, help="Which version; the newest when not given.")
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default="here"
)
def export(key: str, version: int | None, folder: Path) -> None:
    """Write a published version as files into FOLDER/KEY/: diagram, tables and forms, as workflows/ holds them."""
    from app.factory import create_app
    from app.flows import queries

    with create_app().app_context():
        row = next((r for r in queries.definitions() if r.key == key and version in (None, r.version)), None)
        if row is None:
            raise click.ClickException(
                f"no version {version or ''} of {key} is published; see: yinxu flows list"
            )
        target = folder / key
        (target / "forms").mkdir(parents=True, exist_ok=True)
        written = {f"{key}.bpmn": row.bpmn, **{name: str(text) for name, text in row.tables.items()}}
        for name, form in row.forms.items():
            written[f"forms/{name}.json"] = json.dumps(form, ensure_ascii=False, indent=2) + "\n"
        for name, text in written.items():
            (target / name).write_text(text, "utf-8")
            click.echo(str(target / name))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def load(as_json: bool) -> None:
    """Publish what workflows/ holds, where it is new. `yinxu db upgrade` does this too."""
    from app.factory import create_app
    from app.flows import commands

    with create_app().app_context():
        published = commands.load_files(by=SYSTEM).published
    click.echo(json.dumps({"published": published}) if as_json else "\n".join(published) or "nothing new")
