"""Small decision models in standard XML, for tests."""

from collections.abc import Sequence

DMN_1_3 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def table(
    rules: Sequence[Sequence[str]],
    *,
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("y",),
    policy: str = "UNIQUE",
    aggregation: str = "",
    input_types: Sequence[str] = (),
    output_values: Sequence[str] = (),
    allowed: Sequence[str] = (),
    defaults: Sequence[str] = (),
) -> str:
    """A decisionTable: each rule is its input cells and then its output cells."""

    def at(values: Sequence[str], index: int) -> str:
        return values[index] if index < len(values) else ""

    def wrapped(tag: str, text: str) -> str:
        return f"<{tag}><text>{escaped(text)}</text></{tag}>" if text else ""

    columns = "".join(
        f'<input label="{escaped(name)}"><inputExpression'
        + (f' typeRef="{at(input_types, i)}"' if at(input_types, i) else "")
        + f"><text>{escaped(name)}</text></inputExpression>{wrapped('inputValues', at(allowed, i))}</input>"
        for i, name in enumerate(inputs)
    )
    columns += "".join(
        f'<output name="{name}">{wrapped("outputValues", at(output_values, i))}'
        f"{wrapped('defaultOutputEntry', at(defaults, i))}</output>"
        for i, name in enumerate(outputs)
    )
    rows = "".join(
        f'<rule id="rule_{number}"><description>row {number}</description>'
        + "".join(wrapped("inputEntry", cell) for cell in rule[: len(inputs)])
        + "".join(wrapped("outputEntry", cell) for cell in rule[len(inputs) :])
        + "</rule>"
        for number, rule in enumerate(rules, 1)
    )
    extra = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{extra}>{columns}{rows}</decisionTable>'


def model(inside: str, *, namespace: str = DMN_1_3) -> bytes:
    """A definitions element around whatever the test needs."""
    head = f'<definitions xmlns="{namespace}" id="m" name="m" namespace="urn:test">'
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}{inside}</definitions>'.encode()


def one_table(rules: Sequence[Sequence[str]], **more: object) -> bytes:
    return model(f'<decision id="d" name="Decision">{table(rules, **more)}</decision>')  # type: ignore[arg-type]


def literal(text: str) -> str:
    return f"<literalExpression><text>{escaped(text)}</text></literalExpression>"
