"""Patterns of XPath: `matches`, `replace` and `split` say what the standard says, whatever library runs them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bpmn import feel


def fits(text: str, pattern: str, flags: str = "") -> Any:
    return feel.expression("matches(text, pattern, flags)")(
        {"text": text, "pattern": pattern, "flags": flags}
    )


def replaced(text: str, pattern: str, to: str, flags: str = "") -> Any:
    asked = {"text": text, "pattern": pattern, "to": to, "flags": flags}
    return feel.expression("replace(text, pattern, to, flags)")(asked)


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "answer"),
    [
        # a class without another one
        ("seal", "^[a-z-[xyz]]+$", "", True),
        ("sexy", "^[a-z-[xyz]]+$", "", False),
        ("b", "[^a-c-[b]]", "", False),
        # what begins a name, and what may stand in one
        ("印章_1", r"^\i\c*$", "", True),
        ("1st", r"^\i\c*$", "", False),
        (" ", r"\C", "", True),
        # blocks and categories of Unicode
        ("印章", r"^\p{IsCJKUnifiedIdeographs}+$", "", True),
        ("seal", r"\P{IsBasicLatin}", "", False),
        ("Seal", r"^\p{Lu}\p{Ll}+$", "", True),
        # a dot is no line's end, and the end is the very end
        ("a\nb", "a.b", "", False),
        ("a\rb", "a.b", "", False),
        ("a\nb", "a.b", "s", True),
        ("a\n", "a$", "", False),
        ("a\nb", "^b$", "m", True),
        # flags
        ("SEAL", "seal", "i", True),
        ("seal", "s e a l", "x", True),
        ("s e", "s[ ]e", "x", True),
        ("a.b", "a.b", "q", True),
        ("axb", "a.b", "q", False),
        # what closes, and groups that are said again
        ("abab", r"^(ab)\1$", "", True),
        ("-]", r"^[\-\]]+$", "", True),
        ("a", "[&&a]", "", True),
    ],
)
def test_a_pattern_fits(text: str, pattern: str, flags: str, answer: bool) -> None:
    assert fits(text, pattern, flags) is answer


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?<!a)b", "(?<name>a)", "a++", "a{,2}", "a{1", "}", "]", "[]", "[a", "(a", "a)", "*", "[z-a]",
     r"\q", r"\1", r"(a\1)", r"[\1]", r"\p{Nothing}", r"\p{IsNowhere}", "a" * 2000],
)  # fmt: skip
def test_what_is_no_pattern_of_the_standard_is_null(pattern: str) -> None:
    assert fits("a", pattern) is None
    assert replaced("a", pattern, "b") is None


def test_a_flag_that_does_not_exist_is_null() -> None:
    assert fits("a", "a", "u") is None


def test_a_replacement_names_groups_by_number() -> None:
    assert replaced("2025-01-31", r"(\d+)-(\d+)-(\d+)", "$3.$2.$1") == "31.01.2025"
    assert replaced("abc", "(b)", "[$0]") == "a[b]c"
    assert replaced("abc", "(b)", r"\$1 \\") == r"a$1 \c"
    assert replaced("abc", "b", "$7") == "ac"
    assert replaced("a.c", ".", r"$\1", "q") == r"a$\1c"


@pytest.mark.parametrize("to", ["$", "a$b", "\\", r"\n"])
def test_a_replacement_that_means_nothing_is_null(to: str) -> None:
    assert replaced("abc", "b", to) is None


@settings(max_examples=300, deadline=None)
@given(pattern=st.text("ab^$.|?*+()[]{}-\\,1pPIicL \n", max_size=15), text=st.text("ab1-\n", max_size=8))
def test_any_text_as_a_pattern_gives_an_answer_or_null(pattern: str, text: str) -> None:
    assert fits(text, pattern) in (True, False, None)
    said = replaced(text, pattern, "x")
    assert said is None or isinstance(said, str)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=20))
def test_a_quoted_text_fits_itself(text: str) -> None:
    assert fits(text, text, "q") is True
