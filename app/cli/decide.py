"""`yinxu decide`: ask a decision table, without a database or a server."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from errno import EINVAL, ENOENT
from functools import lru_cache
from itertools import islice
from os import strerror
from pathlib import Path
from typing import IO, Any, cast

import click

from app.bpmn import decision, feel
from app.bpmn.reading import MAX_BYTES
from app.text import Text

MAX_LINE = 8 * 1024 * 1024
"""Characters of one line of a batch."""
_MOST_NEIGHBOURS = 1_000
"""Files and folders at and below a model that are searched for one that it imports."""

_TEMPORAL = {
    "date": "date",
    "time": "time",
    "date and time": "date and time",
    "datetime": "date and time",
    "duration": "duration",
    "daytimeduration": "duration",
    "days and time duration": "duration",
    "yearmonthduration": "duration",
    "years and months duration": "duration",
}
"""What a tag may say, in small letters and without a prefix, and the function that reads its text."""
_KINDS = ("type", "@type", "$type", "xsi:type", "@xsi:type", "kind")
_VALUES = ("value", "@value", "$value", "text", "#text")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--decision", "name", metavar="NAME_OR_ID", help="Which decision; not needed when there is one."
)
@click.option("--input", "given", metavar="JSON", default="{}", help="The input data: one JSON object.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Many questions: JSON lines of file, decision, input.",
)
@click.option(
    "--strict", is_flag=True, help="As a flow asks: no rule, several rules or a wrong type are errors."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: result, outputs and the rules that applied."
)
def command(
    file: Path | None, name: str | None, given: str, *, batch: Path | None, strict: bool, as_json: bool
) -> None:
    """Ask the decision NAME_OR_ID of FILE (DMN 1.1 to 1.5) and print its result as JSON.

    Dates, times and durations are ISO 8601 text; where no type is declared for an input, write
    {"type": "date", "value": "2025-01-31"}: date, time, date and time (dateTime), duration; xsd: may stand
    before it. The files of a batch may be named from where you are or from where the batch lies. Models that
    a file imports are looked for beside it. Exit code 0: answered, 1: no answer, 64: a wrong question.
    """
    if batch is not None:
        with click.open_file(str(batch), encoding="utf-8-sig", errors="replace") as lines:
            for answer in _answers(_lines(lines), _Questioner(file, name, batch.parent, strict)):
                click.echo(answer)
        return
    if file is None:
        raise _usage("name a FILE, or --batch CASES")
    try:
        result = _model(file).decide(name, _input(given), strict=strict)
    except (decision.DecisionError, feel.FeelError) as error:
        _fail(error.text, as_json)
    except OSError as error:
        _fail(Text(f"无法读取 {file}：{error.strerror}", f"cannot read {file}: {error.strerror}"), as_json)
    except RecursionError:
        _fail(Text("输入嵌套过深", "the input is nested too deeply"), as_json)
    else:
        click.echo(_described(result) if as_json else feel.dumps(result.value))


@dataclass(frozen=True, slots=True)
class _Questioner:
    """What every line of a batch shares."""

    file: Path | None
    name: str | None
    folder: Path
    strict: bool

    def ask(self, case: dict[str, Any]) -> decision.DecisionResult:
        file = case.get("file") or self.file
        if not isinstance(file, (str, Path)):
            raise _usage('a line names its "file"')
        given: Any = case.get("input") or {}
        if not isinstance(given, dict):
            raise _usage('"input" is one JSON object')
        name = case.get("decision") or self.name
        data = cast("dict[str, Any]", _data(given))
        return _model(self._found(Path(file))).decide(
            None if name is None else str(cast(Any, name)), data, strict=self.strict
        )

    def _found(self, file: Path) -> Path:
        beside = self.folder / file
        return beside if not file.exists() and beside.exists() else file


def _lines(lines: IO[str]) -> Iterator[str]:
    """Line by line; of one that is too long only the first part."""
    while line := lines.readline(MAX_LINE + 1):
        while len(line) > MAX_LINE and not line.endswith("\n"):
            rest = lines.readline(MAX_LINE)
            if not rest or rest.endswith("\n"):
                break
        yield line


def _answers(lines: Iterable[str], questioner: _Questioner) -> Iterator[str]:
    """One JSON line for each line: {"result": …} or {"error": …}."""
    for line in lines:
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise _usage(f"a line of more than {MAX_LINE} characters")
            result = questioner.ask(_object(line))
            yield f'{{"result": {feel.dumps(result.value)}}}'
        except (decision.DecisionError, feel.FeelError) as error:
            yield json.dumps({"error": error.text.en, "zh": error.text.zh}, ensure_ascii=False)
        except RecursionError:
            yield json.dumps(
                {"error": "the input is nested too deeply", "zh": "输入嵌套过深"}, ensure_ascii=False
            )
        except (OSError, ValueError, click.UsageError) as error:
            yield json.dumps({"error": str(error) or type(error).__name__}, ensure_ascii=False)


@lru_cache(maxsize=256)
def _model(file: Path) -> decision.Decisions:
    folder = file.resolve().parent
    return decision.read(_bytes(file), forgiving=True, library=_Neighbours(folder, folder))


def _bytes(file: Path) -> bytes:
    """The file, not more of it than a model may have. Raises OSError."""
    if not file.exists():
        raise FileNotFoundError(ENOENT, strerror(ENOENT), str(file))
    if not file.is_file():
        raise OSError(EINVAL, "not a regular file", str(file))
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Finds imported models in the folder of the model that imports them, or below it, and nowhere else."""

    folder: Path
    root: Path
    """The folder of the model that was asked: nothing outside it is read."""

    def find(self, namespace: str, location: str) -> "tuple[bytes, _Neighbours] | None":
        for said in (location, Path(location).name):
            file = (self.folder / said).resolve()
            if said and file.is_relative_to(self.root) and file.is_file():
                return self._read(file)
        for file in self._models():
            if _is_of(_bytes(file), namespace):
                return self._read(file)
        return None

    def _models(self) -> Iterator[Path]:
        """The models of the folder and those below it, nearest first, in a fixed order; of a huge folder only some."""
        waiting, seen = [self.root], 0
        for folder in waiting:
            for entry in sorted(islice(folder.iterdir(), _MOST_NEIGHBOURS - seen)):
                seen += 1
                if entry.is_symlink():
                    continue
                if entry.is_dir():
                    waiting.append(entry)
                elif entry.suffix == ".dmn" and entry.is_file():
                    yield entry

    def _read(self, file: Path) -> "tuple[bytes, _Neighbours]":
        return _bytes(file), _Neighbours(file.parent, self.root)


def _is_of(content: bytes, namespace: str) -> bool:
    """Whether a file says that it is the model of this namespace, without reading all of it."""
    head = content[: content.find(b">", content.find(b"definitions")) + 1].split()
    return any(f"namespace={quote}{namespace}{quote}".encode() in word for word in head for quote in "\"'")


def _input(given: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _data(_object(given)))


def _object(said: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(said, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise _usage(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _usage("one JSON object is expected")
    return cast("dict[str, Any]", found)


def _data(value: Any) -> Any:
    """{"type": "date", "value": "2025-01-31"} becomes that date, wherever it stands."""
    if isinstance(value, list):
        return [_data(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    tag, said = _tag(entries)
    if isinstance(tag, str) and isinstance(said, str):
        function = _TEMPORAL.get(" ".join(tag.lower().rpartition(":")[2].replace("_", " ").split()))
        if function is not None:
            return feel.expression(f"{function}(said)")({"said": said})
    return {name: _data(entry) for name, entry in entries.items()}


def _tag(entries: dict[str, Any]) -> tuple[Any, Any]:
    """{"type": "date", "value": …} or {"$date": …}: what is said to stand there, and what does."""
    if len(entries) == 1:
        ((key, said),) = entries.items()
        return (key[1:], said) if key[:1] in ("$", "@") else (None, None)
    if len(entries) != 2:
        return None, None
    return (
        next((entries[key] for key in _KINDS if key in entries), None),
        next((entries[key] for key in _VALUES if key in entries), None),
    )


def _described(result: decision.DecisionResult) -> str:
    rules = [
        {
            "decision": rule.decision,
            "index": rule.index,
            "id": rule.id,
            "description": rule.description,
            "annotations": list(rule.annotations),
            "outputs": rule.outputs,
        }
        for rule in result.matched
    ]
    parts = {
        "decision": json.dumps(result.decision, ensure_ascii=False),
        "result": feel.dumps(result.value),
        "outputs": json.dumps(result.outputs, ensure_ascii=False),
        "matched": json.dumps(rules, ensure_ascii=False),
    }
    return "{" + ", ".join(f'"{name}": {said}' for name, said in parts.items()) + "}"


def _fail(text: Text, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": {"zh": text.zh, "en": text.en}}, ensure_ascii=False))
    else:
        click.echo(f"{text.zh}\n{text.en}", err=True)
    raise SystemExit(1)


class _WrongQuestion(click.UsageError):
    exit_code = 64


def _usage(message: str) -> click.UsageError:
    return _WrongQuestion(message)
