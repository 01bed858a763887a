"""What is said about a wrong diagram: the rule, the element, the remedy, in both languages."""

import pytest

from app.bpmn.lint import Surroundings, lint
from app.bpmn.reading import read
from app.glossary import ROLES, role_of_lane
from tests.bpmn.diagrams import HEAD, action, bpmn, extensions, flow, line, properties, shape

REVIEW = shape("userTask", "review")


def problems(data: bytes, around: Surroundings | None = None) -> dict[str, str]:
    """Rule → element, of the fatal ones."""
    return {p.rule: p.element for p in lint(read(data), around or Surroundings.unknown()) if p.fatal}


def test_a_sound_diagram_has_no_problems():
    assert problems(line(REVIEW, names=["review"])) == {}


@pytest.mark.parametrize(
    "evil",
    [
        shape("scriptTask", "evil", "<bpmn:script>import os</bpmn:script>"),
        shape("userTask", "evil", extensions("<spiffworkflow:preScript>import os</spiffworkflow:preScript>")),
        shape("userTask", "evil", extensions("<spiffworkflow:postScript>import os</spiffworkflow:postScript>")),
        shape("userTask", "evil", extensions("<spiffworkflow:unitTests/>")),
        action("evil", "a/do", x="().__class__.__base__.__subclasses__()"),
        shape("eventBasedGateway", "evil"),
        shape("complexGateway", "evil"),
        shape("intermediateThrowEvent", "evil", '<bpmn:compensateEventDefinition id="c"/>'),
        shape("intermediateThrowEvent", "evil", '<bpmn:linkEventDefinition id="c"/>'),
        shape("intermediateCatchEvent", "evil", '<bpmn:timerEventDefinition id="t"><bpmn:timeDuration>().__class__</bpmn:timeDuration></bpmn:timerEventDefinition>'),
        shape("intermediateCatchEvent", "evil", '<bpmn:timerEventDefinition id="t"><bpmn:timeDuration>P2X</bpmn:timeDuration></bpmn:timerEventDefinition>'),
        shape("intermediateCatchEvent", "evil", '<bpmn:timerEventDefinition id="t"><bpmn:timeCycle>R/PT0S</bpmn:timeCycle></bpmn:timerEventDefinition>'),
    ],
)  # fmt: skip
def test_python_and_what_cannot_run_is_kept_out(evil: str):
    found = [p for p in lint(read(line(evil, names=["evil"])), Surroundings.unknown()) if p.fatal]

    assert found
    assert "evil" in found[0].element + found[0].text.zh
    assert found[0].text.zh != found[0].text.en


def test_extensions_that_we_do_not_know_keep_a_diagram_from_being_published():
    words = extensions("<spiffworkflow:instructionsForEndUser>{{ x }}</spiffworkflow:instructionsForEndUser>")
    data = line(shape("userTask", "review", words), names=["review"])

    assert problems(data) == {}
    assert problems(data, Surroundings(strict=True)) == {"extension": "review"}


def test_a_condition_in_another_language_is_kept_out():
    gateway = shape("exclusiveGateway", "which", default="which_finish")
    condition = '<bpmn:conditionExpression language="python">1 == 1</bpmn:conditionExpression>'
    data = bpmn(
        shape("startEvent", "begin"), gateway, shape("endEvent", "finish"), shape("endEvent", "other"),
        flow("begin", "which"), flow("which", "finish"),
        f'<bpmn:sequenceFlow id="f" sourceRef="which" targetRef="other">{condition}</bpmn:sequenceFlow>',
    )  # fmt: skip

    assert "language" in problems(data)


@pytest.mark.parametrize(
    ("data", "rule", "element"),
    [
        (b"<a/>", "root", "a"),
        (f"{HEAD}</bpmn:definitions>".encode(), "one_process", "d"),
        (bpmn(shape("endEvent", "finish")), "start", "p"),
        (line(shape("userTask", "Start"), names=["Start"]), "reserved_id", "Start"),
        (line(REVIEW, REVIEW, names=["review"]), "duplicate_id", "review"),
        (bpmn(shape("startEvent", "begin"), flow("begin", "nowhere")), "dangling", "begin_nowhere"),
        (bpmn(shape("startEvent", "begin"), REVIEW, shape("endEvent", "x"), shape("endEvent", "y"),
              flow("begin", "review"), flow("review", "x"), flow("review", "y")), "split", "review"),
        (bpmn(shape("startEvent", "begin"), shape("exclusiveGateway", "g"), shape("endEvent", "x"),
              shape("endEvent", "y"), flow("begin", "g"), flow("g", "x"), flow("g", "y", "a = 1")),
         "condition", "g_x"),
        (bpmn(shape("startEvent", "begin"), shape("exclusiveGateway", "g"), shape("endEvent", "x"),
              shape("endEvent", "y"), flow("begin", "g"), flow("g", "x", "a ="), flow("g", "y", "a = 1")),
         "feel", "g_x"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_element(data: bytes, rule: str, element: str):
    assert problems(data, Surroundings(strict=True))[rule] == element


HOUSE = Surroundings(
    actions={"a/do": (frozenset({"x"}), frozenset({"x", "y"}))},
    forms=frozenset({"review"}),
    decisions=frozenset({"routing"}),
    flows=frozenset({"other"}),
    role_of_lane=role_of_lane,
    roles=frozenset(ROLES),
)


def test_in_the_house_a_task_of_a_person_needs_a_role_and_a_form():
    task = shape("userTask", "sign", extensions(properties(role="nobody")))

    found = problems(line(task, names=["sign"]), HOUSE)

    assert found == {"role": "sign", "form": "sign"}


def test_in_the_house_actions_exist_and_get_what_they_need():
    assert problems(line(action("do", "a/undo"), names=["do"]), HOUSE) == {"action": "do"}
    assert problems(line(action("do", "a/do", z="1"), names=["do"]), HOUSE) == {"parameter": "do"}
    assert problems(line(action("do", "a/do", x="1"), names=["do"]), HOUSE) == {}


def test_in_the_house_tables_and_called_flows_exist():
    rule = shape(
        "businessRuleTask",
        "ask",
        extensions("<spiffworkflow:calledDecisionId>x</spiffworkflow:calledDecisionId>"),
    )
    call = shape("callActivity", "sub", calledElement="elsewhere")

    assert problems(line(rule, call, names=["ask", "sub"]), HOUSE) == {"decision": "ask", "call": "sub"}


def test_what_is_said_about_going_back_stands_where_it_means_something():
    def on(kind: str, **said: str) -> dict[str, str]:
        return problems(line(shape(kind, "it", extensions(properties(**said))), names=["it"]))

    def process(**said: str) -> dict[str, str]:
        return problems(bpmn(extensions(properties(**said)), shape("startEvent", "s"), REVIEW,
                             shape("endEvent", "e"), flow("s", "review"), flow("review", "e")))  # fmt: skip

    assert on("userTask", resubmit="straight", **{"return": "never"}) == {}
    assert on("serviceTask", irreversible="true") == {}
    assert process(withdraw="until_decided", resubmit="through", start_task="review") == {}
    assert on("userTask", **{"return": "nope"}) == {"return": "it"}
    assert on("userTask", irreversible="true") == {"irreversible": "it"}
    assert on("serviceTask", irreversible="yes") == {"irreversible": "it"}
    assert on("userTask", withdraw="always") == {"withdraw": "it"}
    assert process(withdraw="sometimes") == {"withdraw": "p"}
    assert process(start_task="nowhere") == {"start_task": "p"}
    assert process(resubmit="around") == {"resubmit": "p"}


def task_with(**said: str) -> bytes:
    return line(shape("userTask", "review", extensions(properties(**said))), names=["review"])


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"ownHand": "yes"}, "own_hand"),
        ({"ownHand": "true", "dueIn": "P1D", "onTimeout": "pass"}, "own_hand"),
        ({"ownHand": "true", "dueIn": "P1D", "onTimeout": "refuse"}, "own_hand"),
        ({"ownHand": "true", "repeat": "pass"}, "own_hand"),
        ({"ownHand": "true", "own": "pass"}, "own_hand"),
        ({"ownHand": "true", "nobody": "pass"}, "own_hand"),
        ({"batch": "yes", "ownHand": "true"}, "batch"),
        ({"batch": "yes", "page": "/x"}, "batch"),
        ({"batch": "true"}, "batch"),
        ({"dueIn": "P1D", "onTimeout": "explode"}, "on_timeout"),
        ({"onTimeout": "remind"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "remind", "every": "sometimes"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "remind", "atMost": "0"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "pass", "every": "P1D"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "remind", "timeoutOutcome": "approve"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "pass", "page": "/x"}, "on_timeout"),
        ({"dueIn": "P1D", "onTimeout": "escalate", "escalateTo": "nobody"}, "role"),
        ({"dueIn": "P1.5WD"}, "timer"),
        ({"copyTo": "().__class__"}, "language"),
    ],
)
def test_hands_and_timeouts_that_contradict_each_other_are_named(said: dict[str, str], rule: str):
    around = Surroundings(roles=frozenset(ROLES))

    assert problems(task_with(**said), around).get(rule) == "review"


def test_hands_and_timeouts_that_fit_are_accepted():
    around = Surroundings(roles=frozenset(ROLES))
    for said in (
        {"ownHand": "true", "dueIn": "P3WD", "onTimeout": "escalate", "escalateTo": "overseer", "repeat": "ask"},
        {"dueIn": "P1WDT4WH", "onTimeout": "remind", "every": "PT4WH", "atMost": "3", "copyTo": "unit_head"},
        {"dueIn": "P1D", "onTimeout": "refuse", "timeoutOutcome": "send_back", "copyTo": "[applicant_id]"},
        {"batch": "yes", "ownHand": "false"},
    ):  # fmt: skip
        assert problems(task_with(**said), around) == {}, said


def test_a_timer_that_leads_away_from_ones_own_hand_is_refused_and_one_that_reminds_is_not():
    for cancels, found in (("true", "review"), ("false", None)):
        timer = (
            f'<bpmn:boundaryEvent id="late" attachedToRef="review" cancelActivity="{cancels}"><bpmn:timerEventDefinition '
            'id="t"><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
        )
        text = task_with(ownHand="true").replace(b"</bpmn:process>", timer.encode() + b"</bpmn:process>")
        assert problems(text).get("own_hand") == found
