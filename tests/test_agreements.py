"""What the house agreed on is tested, not remembered."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import app
from app import command as gate
from app.fact import FACTS

ROOT = Path(__file__).parents[1]
HOUSES = [p.name for p in (ROOT / "app").iterdir() if (p / "commands.py").exists()]
OF_A_PERSONS_LIBRARY = {"load_files"}


def load_everything() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


def test_every_public_function_of_a_commands_module_passes_the_gate() -> None:
    load_everything()
    outside = [
        f"{house}.{name}"
        for house in HOUSES
        for name, member in vars(importlib.import_module(f"app.{house}.commands")).items()
        if inspect.isfunction(member)
        and not name.startswith("_")
        and member.__module__ == f"app.{house}.commands"
        and not getattr(member, "__is_command__", False)
    ]
    assert outside == []


def test_every_command_takes_the_one_who_acts_as_keyword() -> None:
    load_everything()
    for name, function in gate.COMMANDS.items():
        by = inspect.signature(function).parameters["by"]
        assert by.kind is inspect.Parameter.KEYWORD_ONLY, name


def test_every_fact_has_a_dotted_name_and_both_languages() -> None:
    load_everything()
    for name, fact in FACTS.items():
        if name.startswith("test."):
            continue
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name), name
        assert fact.text.zh, name
        assert fact.text.en, name


def test_every_folder_of_the_house_opens_with_a_readme() -> None:
    folders = [
        path
        for top in ("app", "workflows", "card_agent", "reports")
        for path in [ROOT / top, *(ROOT / top).iterdir()]
        if path.is_dir() and (path / "__init__.py").exists()
    ]
    assert [str(f.relative_to(ROOT)) for f in folders if not (f / "README.md").exists()] == []


def test_no_python_of_ours_evaluates_text() -> None:
    """C1 and the mission: nothing written by a person is ever run as Python."""
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "workflows").rglob("*.py")]:
        if path.parent.name == "bench":
            continue
        found = re.search(r"(?<![\w.])(eval|exec)\(", path.read_text())
        assert found is None, f"{path}: {found}"


def test_every_module_says_what_it_is() -> None:
    for top in ("app", "card_agent", "reports", "workflows"):
        for path in (ROOT / top).rglob("*.py"):
            text = path.read_text()
            if path.name == "__init__.py" and not text.strip():
                continue
            assert text.lstrip().startswith(('"""', "#!")), path
