"""Types and names in FEEL: what is an instance of what, what a typed parameter takes, what a name may hold."""

from typing import Any

import pytest

from app.bpmn import feel


def said(text: str, data: dict[str, Any] | None = None, names: frozenset[str] = frozenset()) -> Any:
    return feel.to_json(feel.expression(text, names)(data or {}))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[1, 2] instance of list<number>", True),
        ('[1, "2"] instance of list<number>', False),
        ("[] instance of list<string>", True),
        ("{a: 1, b: 2} instance of context<a: number>", True),
        ("{a: 1} instance of context<a: number, b: number>", False),
        ("{a: null} instance of context<a: number>", True),
        ("{a: {b: 1}} instance of context<a: context<b: string>>", False),
        ("[1..5] instance of range<number>", True),
        ("null instance of Any", False),
        ("null instance of Null", True),
        ('@"P1Y" instance of years and months duration', True),
        ('@"P1D" instance of years and months duration', False),
        # a function may ask less and give more than the type says
        ("(function() 1) instance of function<>->number", True),
        ('(function() "a") instance of function<>->number', False),
        ("(function(a: number) a) instance of function<number>->Any", True),
        ("(function(a: number) a) instance of function<string>->Any", False),
        ("(function(a: number) a) instance of function<number, number>->Any", False),
        ("(function(a: context<x: string>) 1) instance of function<context<x: string, y: string>>->number", True),
        ("(function(a: context<x: string, y: string>) 1) instance of function<context<x: string>>->number", False),
        ("(function() {x: 1, y: 2}) instance of function<>->context<x: number>", True),
        ("(function() {x: 1}) instance of function<>->context<x: number, y: number>", False),
        ("[(function(a: string) 1)] instance of list<function<string>->number>", True),
        ("1 instance of function<>->Any", False),
        ("1 instance of nobody", None),
    ],
)  # fmt: skip
def test_a_value_is_of_a_type(text: str, answer: bool | None) -> None:
    assert said(text) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{f: function(a: number) a, r: f(3)}.r", 3),
        ('{f: function(a: number) a = null, r: f("3")}.r', True),
        ("{f: function(a: number) a, r: f([3])}.r", 3),
        ("{f: function(a: list<number>) a, r: f(3)}.r", [3]),
        ('{f: function(a: date and time) a, r: f(@"2025-01-31")}.r', "2025-01-31T00:00:00Z"),
        ("{f: function(a: nobody) a, r: f(3)}.r", 3),
    ],
)
def test_a_typed_parameter_converts_or_is_null(text: str, answer: Any) -> None:
    assert said(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("for i in null return i", None),
        ('for i in "a".."c" return i', None),
        ("for i in 1..2.5 return i", None),
        ("some i in null satisfies true", None),
        ("every i in nothing satisfies true", None),
        ("for i in [] return i", []),
        ("every i in [] satisfies false", True),
        ("for i in 3..1 return i", [3, 2, 1]),
        ('for i in @"2025-01-31"..@"2025-02-01" return i', ["2025-01-31", "2025-02-01"]),
    ],
)
def test_a_loop_over_what_cannot_be_walked_is_null(text: str, answer: Any) -> None:
    assert said(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('time("10:00:00@Europe/Paris") = time("10:00:00@Asia/Shanghai")', False),
        ('time("10:00:00@Asia/Shanghai") = time("10:00:00@Asia/Shanghai")', True),
        ('time("10:00:00Z") = time("10:00:00+00:00")', True),
        ('time("10:00:00") - time("10:00:00Z")', None),
        ('string(time("10:00:00.250"))', "10:00:00.25"),
        ('string(@"2025-01-31T10:00:00.100+08:00")', "2025-01-31T10:00:00.1+08:00"),
        ('date("02025-01-31")', None),
    ],
)
def test_moments_keep_their_zone_and_their_digits(text: str, answer: Any) -> None:
    assert said(text) == answer


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Approved/Declined", "Approved/Declined + 1"),
        ("Student's mark", "Student's mark + 1"),
        ("Pre-bureau risk 2.1", "Pre-bureau risk 2.1 + 1"),
        ("Rate %", "Rate %+1"),
        ("Größe & Maß", "(Größe & Maß)+1"),
        ("days in a week", "days in a week + 1"),
        ("印章（枚）", "印章（枚） + 1"),
        ("🐎", "🐎 + 1"),
        ("2nd opinion", "2nd opinion + 1"),
        ("% of all", "% of all + 1"),
        ("€", "€ + 1"),
        ("not approved", "not approved + 1"),
        ("if any", "if any + 1"),
    ],
)
def test_a_declared_name_may_hold_anything(name: str, text: str) -> None:
    assert said(text, {name: 41}, frozenset({name})) == 42


def test_a_name_of_figures_hides_no_sum() -> None:
    assert said("1 + 1", {"1 + 1": 42, "1": 42}, frozenset({"1 + 1", "1"})) == 2


def test_a_sign_outside_a_declared_name_is_refused_with_its_place() -> None:
    with pytest.raises(feel.FeelError) as refusal:
        feel.expression("1 ％ 2")
    assert refusal.value.position == 2
    with pytest.raises(feel.FeelError):
        feel.expression("if（1 = 1）then 1 else 2")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('range("[2..)") = >= 2', True),
        ('range("(..2]") = <= 2', True),
        ("(> 2) != > 3", True),
        ("10 in [< 5, >= 10]", True),
        ("(< 5).end included", False),
    ],
)
def test_a_range_of_one_end_is_a_value(text: str, answer: bool) -> None:
    assert said(text) is answer


@pytest.mark.parametrize("text", ["1 < < 2", "1 + > 2", "x = <"])
def test_two_signs_in_a_row_are_no_range(text: str) -> None:
    with pytest.raises(feel.FeelError):
        feel.expression(text)


def test_arguments_may_be_named_as_the_standard_names_them() -> None:
    assert said("list replace(list: [1, 2], position: 1, newItem: 5)") == [5, 2]
    assert said("insert before(list: [1], position: 1, newItem: 0)") == [0, 1]
    assert said('substring(string: "abc", start position: 2)') == "bc"


@pytest.mark.parametrize(
    "text", ["remove([1, 2], 1.5)", "list replace([1, 2], 1.5, 0)", "insert before([1], 0, 2)"]
)
def test_a_place_between_two_items_is_none(text: str) -> None:
    assert said(text) is None
