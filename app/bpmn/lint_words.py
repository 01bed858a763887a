"""What a diagram says in words: conditions, times, languages, and that nothing in it is Python. Pure."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from app.bpmn import moments
from app.bpmn.expressions import MAX_INSTANCES, compiled
from app.bpmn.problem import Problem, Surroundings, owner, problem
from app.bpmn.reading import SPIFF, Element, local, namespace, xpath
from app.bpmn.shapes import EXTENSIONS, data_names, expression_in, is_bpmn, is_event_part, said_in

SPIFF_ALLOWED = EXTENSIONS | {"property", "parameters", "parameter"}
SPIFF_SCRIPTS = {"preScript", "postScript", "script", "unitTests", "scriptUnitTests", "scriptsOnInstances"}
"""Extensions that hold Python. Others that we do not know are left aside when a foreign file is read."""


REQUIRED = {
    "property": ("name", "value"),
    "parameter": ("id", "type", "value"),
    "serviceTaskOperator": ("id",),
}


def no_python(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Whatever SpiffWorkflow would have run as Python, and every extension we do not know."""
    for element in root.iter("*"):
        tag = local(element)
        if namespace(element) == SPIFF and tag not in SPIFF_ALLOWED:
            yield problem(
                element,
                "extension",
                f"「{owner(element)}」带有不允许的扩展 {tag}，请删除",
                f'"{owner(element)}" carries the extension {tag}, which is not allowed; remove it',
                fatal=around.strict or tag in SPIFF_SCRIPTS,
            )
        lacking = [name for name in REQUIRED.get(tag, ()) if element.get(name) is None]
        if namespace(element) == SPIFF and lacking:
            yield problem(
                element,
                "extension",
                f"「{owner(element)}」的扩展 {tag} 缺少 {'、'.join(lacking)}",
                f'the extension {tag} of "{owner(element)}" lacks {", ".join(lacking)}',
            )
        for attribute in element.attrib:
            if str(attribute).startswith("{" + SPIFF + "}"):
                yield problem(
                    element,
                    "extension",
                    f"「{owner(element)}」带有不允许的扩展属性 {attribute}",
                    f'"{owner(element)}" carries the extension attribute {attribute}, which is not allowed',
                    fatal=around.strict,
                )
        language = str(element.get("language") or element.get("scriptFormat") or "")
        if is_bpmn(element) and language and "feel" not in language.lower() and said_in(element):
            yield problem(
                element,
                "language",
                f"「{owner(element)}」的表达式语言是 {language}，这里只认 FEEL",
                f'"{owner(element)}" uses the expression language {language}; only FEEL is understood',
            )


CONDITIONS = (
    "//bpmn:process//bpmn:multiInstanceLoopCharacteristics/bpmn:loopCardinality",
    "//bpmn:process//bpmn:multiInstanceLoopCharacteristics/bpmn:completionCondition",
    "//bpmn:process//bpmn:standardLoopCharacteristics/bpmn:loopCondition",
)


def expressions(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Every expression can be read. Data of the diagram may be called by names with blanks or signs in them."""
    names = data_names(root)
    nodes = {str(e.get("id")): e for e in xpath(root, "//bpmn:process//bpmn:*[@id]")}
    for element in xpath(root, "//bpmn:sequenceFlow/bpmn:conditionExpression"):
        source = nodes.get(str(element.getparent().get("sourceRef")))
        if said_in(element) and (
            source is None or local(source) not in ("parallelGateway", "eventBasedGateway")
        ):
            yield from _feel(element, expression_in(element), names)
    for path in CONDITIONS:
        for element in xpath(root, path):
            if said_in(element):
                yield from _feel(element, expression_in(element), names)
    for parameter in xpath(root, "//spiff:parameter"):
        yield from _feel(parameter, str(parameter.get("value") or "").strip())
    feel = " or ".join(f"@name='{name}'" for name in ("correlation", "scope", "voters", "weights"))
    for prop in xpath(root, f"//bpmn:process//spiff:property[{feel}]"):
        yield from _feel(prop, str(prop.get("value") or "").strip())
    for prop in xpath(root, "//bpmn:process//spiff:property[@name='copyTo']"):
        if str(prop.get("value")).strip() not in around.roles:
            yield from _feel(prop, str(prop.get("value") or "").strip())
    for timer in xpath(root, "//bpmn:timerEventDefinition"):
        yield from _timer(timer, around, names)
    for prop in xpath(root, "//bpmn:process//spiff:property[@name='dueIn']"):
        yield from _time_text(prop, str(prop.get("value")), moments.span)


def loops(root: Element, around: Surroundings) -> Iterator[Problem]:
    """An activity is done several times in one way, and a bounded number of times."""
    twice = "standardLoopCharacteristics or self::bpmn:multiInstanceLoopCharacteristics"
    for task in xpath(root, f"//bpmn:process//*[count(*[self::bpmn:{twice}]) > 1]"):
        yield problem(
            task,
            "loop",
            f"「{owner(task)}」重复的方式不止一种",
            f'"{owner(task)}" is to be done several times in more than one way',
        )
    for loop in xpath(root, "//bpmn:process//bpmn:standardLoopCharacteristics[@loopMaximum]"):
        yield from _number(loop, str(loop.get("loopMaximum")), around)


def _number(loop: Element, said: str, around: Surroundings) -> Iterator[Problem]:
    """How often a loop goes at most. Other tools write 0 or -1 for no bound, and bounds that no flow here reaches."""
    whole = re.fullmatch(r"\s*-?\d{1,9}\s*", said, re.ASCII) is not None
    if not whole or not 0 < int(said) <= MAX_INSTANCES:
        yield problem(
            loop,
            "loop",
            f"「{owner(loop)}」的循环次数「{said[:40]}」不是 1 至 {MAX_INSTANCES} 的整数",
            f'how often "{owner(loop)}" loops, “{said[:40]}”, is not a number from 1 to {MAX_INSTANCES}',
            fatal=around.strict or not whole,
        )


def _feel(element: Element, text: str, names: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Another language is never evaluated, not even where its text would read as FEEL by chance: `$` and `#` open
    what other engines evaluate, so the sentence says whose language it is."""
    short = text if len(text) <= 200 else text[:200] + "…"
    if FOREIGN.search(text):
        yield problem(
            element,
            "language",
            f"「{owner(element)}」的表达式「{short}」是 JUEL、Python 等其他语言，这里只认 FEEL，从不执行",
            f'the expression “{short}” of "{owner(element)}" is in another language (JUEL, Python or alike), which is '
            "never evaluated; write it in FEEL",
        )
        return
    try:
        compiled(text, names)
    except Exception as error:  # whatever FEEL cannot read, for whatever reason, is a problem of this text
        yield problem(
            element,
            "feel",
            f"「{owner(element)}」的表达式「{short}」不是合法的 FEEL：{error}",
            f'the expression “{short}” of "{owner(element)}" is not FEEL: {error}',
        )


FOREIGN = re.compile(r"[$#]\{|__\w+__")


def _timer(timer: Element, around: Surroundings, names: frozenset[str]) -> Iterator[Problem]:
    texts = [e for e in timer if is_event_part(e) and said_in(e)]
    if len(texts) != 1:
        yield problem(
            timer,
            "timer",
            f"定时事件「{owner(timer)}」没有时间，或不止一个",
            f'the timer "{owner(timer)}" has no time, or more than one',
            fatal=bool(texts) or around.strict,
        )
        return
    text = expression_in(texts[0])
    if local(texts[0]) == "timeCycle" and moments.SCHEDULE.fullmatch(text):
        yield problem(
            texts[0],
            "schedule",
            f"「{owner(timer)}」的时间「{text}」是 cron 写法，这里不认识，请改用 ISO 8601，例如 R/P1D",
            f'the time “{text}” of "{owner(timer)}" is a schedule of cron, which is not understood here; write it in '
            "ISO 8601, for example R/P1D",
            fatal=around.strict,
        )
    elif not moments.LITERAL.match(text):
        yield from _feel(texts[0], text, names)
    else:
        reader = moments.repetition if local(texts[0]) == "timeCycle" else moments.due
        yield from _time_text(texts[0], text, lambda t: reader(t, _SOME_DAY))


def _time_text(element: Element, text: str, reader: Callable[[str], object]) -> Iterator[Problem]:
    try:
        reader(text)
    except (ValueError, OverflowError) as error:
        yield problem(
            element,
            "timer",
            f"「{owner(element)}」的时间「{text}」不是 ISO 8601 写法",
            f'the time “{text}” of "{owner(element)}" is not ISO 8601: {error}',
        )


_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
