"""`yinxu flows`: list what is published, check diagrams and tables, play stories, write versions back as files."""

import json
from pathlib import Path
from typing import Any

import click

from app.actor import SYSTEM
from app.cli import flow_migration


@click.group()
def command() -> None:
    """The flows: diagrams, rule tables and forms."""


command.add_command(flow_migration.diff)
command.add_command(flow_migration.migrate)


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

    A line has `file`, `verdict` (accepted or rejected) and `problems`: each with `rule`, `element`, `line`,
    `message`, and whether it is `fatal` (keeps the file out) or advice. A diagram that stands in a flow's folder
    (folder = file name) is also held against its forms, its tables and the registered actions.

    Exit code 0: all accepted, 1: at least one was rejected.
    """
    from app.cli.flow_files import FOLDER, problems_of

    chosen = files or tuple(sorted([*FOLDER.glob("*/*.bpmn"), *FOLDER.glob("*/*.dmn")]))
    rejected = False
    for file in chosen:
        problems = problems_of(file)
        fatal = any(p["fatal"] for p in problems)
        rejected = rejected or fatal
        verdict = "rejected" if fatal else "accepted"
        click.echo(
            json.dumps({"file": str(file), "verdict": verdict, "problems": problems}, ensure_ascii=False)
        )
    if rejected:
        raise SystemExit(1)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--story", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Play this story."
)
@click.option("--auto", is_flag=True, help="Make up all answers and try every way.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; --auto always prints one.")
def run(file: Path, story: Path | None, auto: bool, as_json: bool) -> None:
    """Run a diagram, without tables or people: by a STORY, or by itself.

    Exit code 0: it went as told (--story), or it was run (--auto), whether it ended, got stuck or had to be
    bounded. 1: it went another way, a step failed, or the file is rejected.
    """
    from app.cli import flow_files

    if auto == (story is not None):
        raise click.UsageError("give either --story STORY or --auto")
    if story is None:
        report = flow_files.rehearsed(file)
        click.echo(json.dumps(report, ensure_ascii=False))
        if report["verdict"] == "rejected" or report["outcome"] == "fault":
            raise SystemExit(1)
        return
    report = flow_files.played(file, story)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo(" → ".join(report["passed"]))
        click.echo("\n".join(report["problems"]) or "as told")
    if report["problems"]:
        raise SystemExit(1)


@command.command()
@click.argument("key")
@click.option("--version", type=int, help="Which version; the newest when not given.")
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default="here"
)
def export(key: str, version: int | None, folder: Path) -> None:
    """Write a published version as files into FOLDER/KEY/: diagram, tables, forms and example stories, as workflows/
    holds them."""
    from app.factory import create_app
    from app.flows import versions
    from app.refusal import NotFound
    from app.studio import bundle

    with create_app().app_context():
        try:
            papers = versions.papers_of(versions.version(key, version))
        except NotFound as error:
            raise click.ClickException(
                f"no version {version or ''} of {key} is published; see: yinxu flows list"
            ) from error
        for name, text in bundle.files_of(papers).items():
            target = folder / key / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
            click.echo(str(target))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def load(as_json: bool) -> None:
    """Publish what workflows/ holds, where it is new. `yinxu db upgrade` does this too."""
    from app.factory import create_app
    from app.flows import commands

    with create_app().app_context():
        published = commands.load_files(by=SYSTEM).published
    click.echo(json.dumps({"published": published}) if as_json else "\n".join(published) or "nothing new")


@command.command()
@click.argument("leaver")
@click.argument("successor")
@click.option("--reason", required=True, help="Why; it stands in the log.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def handover(leaver: str, successor: str, reason: str, as_json: bool) -> None:
    """Hand all open tasks of LEAVER to SUCCESSOR (logins), and what is filed under LEAVER from now on.

    Exit code 0: all is moved or back with the colleagues; 1: something stays where it is, and why.
    """
    from app.factory import create_app
    from app.flows import handing
    from app.people import queries

    with create_app().app_context():
        found = [queries.user_by_login(login) for login in (leaver, successor)]
        if found[0] is None or found[1] is None:
            raise click.ClickException(f"no such login: {leaver if found[0] is None else successor}")
        fact = handing.hand_over_all(found[0].id, found[1].id, reason, by=SYSTEM)
    if as_json:
        click.echo(json.dumps(fact.payload(), ensure_ascii=False))
    else:
        click.echo(f"{len(fact.moved)} moved, {len(fact.released)} back with the colleagues")
        for stuck in fact.stuck:
            click.echo(f"task {stuck['task_id']} · {stuck['title']} · {stuck['why_zh']} {stuck['why_en']}")
    if fact.stuck:
        raise SystemExit(1)
