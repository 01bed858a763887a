"""`yinxu decide`: ask a decision table, without a database or a server."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import click

from app.bpmn import decision, feel
from app.text import Text

TAGGED = frozenset(
    {
        "date",
        "time",
        "date and time",
        "duration",
        "days and time duration",
        "years and months duration",
    }
)


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
    {"type": "date", "value": "2025-01-31"}. Exit code 0: answered, 1: no answer, 64: a wrong question.
    """
    if batch is not None:
        with click.open_file(str(batch), encoding="utf-8") as lines:
            for answer in _answers(lines, file, name, strict):
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
    else:
        click.echo(_described(result) if as_json else feel.dumps(result.value))


def _answers(lines: Iterable[str], file: Path | None, name: str | None, strict: bool) -> Iterator[str]:
    """One JSON line for each line: {"result": …} or {"error": …}."""
    for line in lines:
        if not line.strip():
            continue
        try:
            case = _object(line)
            model = _model(Path(str(case.get("file") or file)))
            result = model.decide(
                case.get("decision") or name, _tagged(case.get("input") or {}), strict=strict
            )
            yield f'{{"result": {feel.dumps(result.value)}}}'
        except (decision.DecisionError, feel.FeelError) as error:
            yield json.dumps({"error": error.text.en, "zh": error.text.zh}, ensure_ascii=False)
        except (OSError, click.UsageError) as error:
            yield json.dumps({"error": str(error)}, ensure_ascii=False)


@lru_cache(maxsize=256)
def _model(file: Path) -> decision.Decisions:
    return decision.parse(file.read_bytes())


def _input(given: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _tagged(_object(given)))


def _object(said: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(said, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise _usage(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _usage("one JSON object is expected")
    return cast("dict[str, Any]", found)


def _tagged(value: Any) -> Any:
    """{"type": "date", "value": "2025-01-31"} becomes that date, wherever it stands."""
    if isinstance(value, list):
        return [_tagged(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    if (
        entries.keys() == {"type", "value"}
        and entries["type"] in TAGGED
        and isinstance(entries["value"], str)
    ):
        function = "duration" if entries["type"].endswith("duration") else entries["type"]
        return feel.expression(f"{function}(said)")({"said": entries["value"]})
    return {name: _tagged(entry) for name, entry in entries.items()}


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
