"""Diagram and table files of anybody, as the command line meets them: read within bounds, checked, run.

Whatever a file holds, it gets an answer: a bounded number of its bytes is read, a bounded time is spent on it.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, cast

from app.refusal import Refusal

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
SECONDS = 6.0
"""What one file may take. The bounds of the engine hold long before; this is for what nobody thought of."""


class TooSlow(BaseException):
    """The file took longer than it may. No `except Exception` on the way may take it for a fault of an expression."""


@contextlib.contextmanager
def within(seconds: float) -> Generator[None]:
    """Raise TooSlow in this block after that time. Only the main thread of a Unix process can; others run on."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def content_of(file: Path) -> bytes:
    """No more of the file than a diagram may have, and one byte; raises OSError for what is no plain file."""
    from app.bpmn.reading import MAX_BYTES

    if not file.exists():
        raise FileNotFoundError(2, "No such file")
    if not file.is_file():
        raise OSError(22, "Not a plain file")
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def problems_of(file: Path) -> list[dict[str, object]]:
    """What is wrong with one file. Whatever goes wrong in finding out is a problem of the file too."""
    _load(file)
    try:
        with within(SECONDS):
            found = list(_of_table(file) if _is_table(file) else _of_diagram(file))
    except TooSlow:
        found = [_problem("too_slow", f"it takes longer than {SECONDS:g} s to check", "检查用时过长")]
    except OSError as error:
        found = [_problem("unreadable", str(error.strerror or error))]
    except Refusal as refusal:
        found = _of_refusal(refusal)
    except (Exception, RecursionError) as error:  # a hostile file must get an answer, not a traceback
        found = [_problem("defect", f"{type(error).__name__} while reading the file")]
    return [{**p, "element": p["element"] or file.name} for p in found]


def _load(file: Path) -> None:
    """Our own program, before the file's time begins: on a busy machine that alone may take seconds."""
    for name in ("app.bpmn.decision", "app.bpmn.parse"):
        import_module(name)
    if _at_home(file):
        import workflows

        import_module("app.flows.publishing")
        workflows.load_actions()


def _is_table(file: Path) -> bool:
    """By its name, else by what stands at its beginning: some tools call everything .xml."""
    if file.suffix.lower() in (".dmn", ".bpmn", ".bpmn2"):
        return file.suffix.lower() == ".dmn"
    head = content_of(file)[:_HEAD].replace(b"\0", b"")
    return b"/spec/DMN/" in head and b"/spec/BPMN/" not in head


_HEAD = 4_096
"""Bytes in which the namespaces of a file are declared."""


def _of_refusal(refusal: Refusal) -> list[dict[str, object]]:
    named = refusal.details.get("problems")
    if isinstance(named, list):
        return cast("list[dict[str, object]]", named)
    return [
        _problem(
            refusal.code.rpartition(".")[2],
            refusal.text.en,
            refusal.text.zh,
            str(refusal.details.get("element", "")),
            int(str(refusal.details.get("line") or 0)),
        )
    ]


def _problem(rule: str, en: str, zh: str = "", element: str = "", line: int = 0) -> dict[str, object]:
    return {
        "rule": rule,
        "element": element,
        "line": line,
        "message": en,
        "message_zh": zh or en,
        "fatal": True,
    }


def _of_table(file: Path) -> Iterator[dict[str, object]]:
    from app.bpmn import decision

    try:
        decision.parse(content_of(file))
    except decision.DecisionError as error:
        yield _problem("table", error.text.en, error.text.zh, error.where)


def _at_home(file: Path) -> bool:
    """Whether the file is one of our flows: workflows/KEY/KEY.bpmn."""
    folder = file.resolve().parent
    return folder.name == file.stem and folder.parent == FOLDER


def _of_diagram(file: Path) -> Iterator[dict[str, object]]:
    if not _at_home(file):
        yield from (p.as_json() for p in _parsed(file).warnings)
        return
    from app.flows import publishing

    said = publishing.read_flow(file.resolve().parent)
    flows = frozenset(path.parent.name for path in FOLDER.glob("*/*.bpmn"))
    yield from (p.as_json() for p in publishing.check(said.bpmn, said.tables, frozenset(said.forms), flows))


def _parsed(file: Path) -> Any:
    """The diagram, with the rule tables beside it where it asks for any; a table that cannot be read is left out."""
    from app.bpmn import decision
    from app.bpmn.parse import parse

    content, tables = content_of(file), dict[str, bytes]()
    if b"calledDecisionId" in content:
        for path in sorted(file.parent.glob("*.dmn"))[:50]:
            with contextlib.suppress(OSError, decision.DecisionError):
                table = content_of(path)
                decision.parse(table)
                tables[path.name] = table
    return parse(content, tables)


def _called(file: Path) -> dict[str, Any]:
    """The flows that one of our flows may call: its neighbours. A file from elsewhere has none."""
    folder = file.resolve().parent
    if folder.name != file.stem:
        return {}
    around = {path.stem: path for path in folder.parent.glob("*/*.bpmn") if path.stem == path.parent.name}
    return {key: _parsed(path) for key, path in sorted(around.items())}


def rehearsed(file: Path) -> dict[str, Any]:
    """The report of `flows run --auto`: `verdict`, and either `problems` or what `app.bpmn.rehearse` tells."""
    from app.bpmn.rehearse import rehearse
    from app.clock import now

    problems = problems_of(file)
    said: dict[str, Any] = {"file": str(file), "verdict": "accepted"}
    if any(p["fatal"] for p in problems):
        return {**said, "verdict": "rejected", "problems": problems}
    until = time.monotonic() + SECONDS * 3 / 4
    try:
        with within(SECONDS):
            told = rehearse(_parsed(file), _called(file), now=now(), patient=lambda: time.monotonic() < until)
    except TooSlow:
        return {
            **said,
            "outcome": "bounded",
            "processes": [],
            "reason": f"one step took longer than {SECONDS:g} s",
        }
    except Refusal as refusal:
        return {**said, "verdict": "rejected", "problems": _of_refusal(refusal)}
    except (Exception, RecursionError) as error:  # as above: an answer, not a traceback
        found = _problem("defect", f"{type(error).__name__} while running the file", element=file.name)
        return {**said, "verdict": "rejected", "problems": [found]}
    return {**said, **told}


def played(file: Path, story: Path) -> dict[str, Any]:
    """The report of `flows run --story`. Raises Refusal for a file that is rejected."""
    import yaml

    from app.bpmn.parse import program
    from app.bpmn.rehearse import strangers
    from app.bpmn.simulate import play
    from app.clock import now
    from app.glossary import role_of_lane

    main, called = _parsed(file), _called(file)
    said: dict[str, Any] = yaml.safe_load(story.read_text("utf-8")) or {}
    joined = program(main, {**called, **strangers(main, called)})
    return play(joined, said, now=now(), role_of_lane=role_of_lane).report()
