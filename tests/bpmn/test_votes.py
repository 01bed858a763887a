"""会签: whoever votes in whatever order, whoever is added or taken off between, every vote counts once."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.bpmn.fault import Fault
from app.bpmn.parse import Program
from app.bpmn.step import Run, begin, resume
from app.bpmn.votes import Rule, Seat, share_of, verdict
from app.refusal import Conflict, Invalid
from tests.bpmn.diagrams import NOW, Hands, alone, extensions, line, properties, shape

VOTERS = {"voters": [11, 12, 13]}
TAG = "bpmn:multiInstanceLoopCharacteristics"
MANY = f"<{TAG}/>"
YES, NO = {"decision": "approve"}, {"decision": "refuse", "opinion": "不妥"}


class Town(Hands):
    """Knows who holds which role."""

    unit_id = None

    def __init__(self, *holders: int, gone: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.held, self.gone = holders, gone

    def holders(self, role: str, unit_id: int | None) -> list[int]:
        return [1] if role == "process_owner" else list(self.held)

    def able(self, ids: Any) -> list[int]:
        return [i for i in ids if i not in self.gone]


def ballot(sequential: bool = False, **said: str) -> Program:
    if not {"voters", "voterRole"} & said.keys():
        said["voters"] = "voters"
    many = f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"/>'
    return alone(
        line(
            shape("userTask", "sign", extensions(properties(**said)) + many),
            shape("userTask", "after"),
            names=["sign", "after"],
        )
    )


class Vote:
    """A vote, saved and read back between any two acts."""

    def __init__(self, joined: Program, data: dict[str, Any] = VOTERS, host: Any = None) -> None:
        self.joined, self.host = joined, host or Hands()
        self.state = begin(joined, data, host=self.host, now=NOW).state()

    @property
    def run(self) -> Run:
        return resume(self.joined, self.state, host=self.host, now=NOW)

    @property
    def asked(self) -> list[int | None]:
        return [t.voter for t in self.run.tasks() if t.node.id == "sign"]

    @property
    def result(self) -> dict[str, Any]:
        return next(t.data["sign"] for t in self.run.tasks() if t.node.id == "after")

    def act(self, do: Any) -> None:
        run = self.run
        do(run, {t.voter: t.token for t in run.tasks()})
        run.settle()
        self.state = run.state()

    def says(self, voter: int, form: dict[str, Any]) -> None:
        self.act(lambda run, tokens: run.complete(tokens[voter], form, by=(voter, f"p{voter}")))

    def adds(self, by: int, voter: int, weight: str = "1") -> None:
        self.act(lambda run, tokens: run.add_voter(tokens[by], voter, weight=weight, by=by))

    def takes_off(self, by: int, voter: int) -> None:
        self.act(lambda run, tokens: run.take_off(tokens[by], voter))


def test_all_must_agree_and_the_first_who_does_not_ends_it():
    vote = Vote(ballot(vote="all"))

    vote.says(13, YES)
    assert vote.asked == [11, 12]
    vote.says(11, NO)

    assert {k: v for k, v in vote.result.items() if k != "votes"} == {
        "result": "refused", "voters": 3, "yes": 1, "no": 1, "open": 1,
    }  # fmt: skip
    assert [(v["voter"], v["person"], v["name"], v["outcome"], v["opinion"]) for v in vote.result["votes"]] == [
        (11, 11, "p11", "refuse", "不妥"), (12, None, None, None, None), (13, 13, "p13", "approve", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "sayings", "result"),
    [
        ({"vote": "any"}, {12: NO}, "refused"),
        ({"vote": "any"}, {12: YES}, "approved"),
        ({"vote": "ratio", "share": "2/3"}, {12: YES, 11: YES}, "approved"),
        ({"vote": "ratio", "share": "2/3"}, {12: NO, 11: YES, 13: YES}, "approved"),
        ({"vote": "ratio", "share": "2/3"}, {12: NO, 11: NO}, "refused"),
        ({"vote": "ratio", "share": "66.7%"}, {12: NO, 11: YES}, "refused"),
        ({"vote": "ratio", "share": "0.5", "yes": "refuse"}, {12: NO, 13: NO}, "approved"),
        (
            {"vote": "weighted", "share": "1/2", "weights": '{"11": 5, "12": 2.5, "13": 2.5}'},
            {11: YES},
            "approved",
        ),
        ({"vote": "weighted", "share": "0.51", "weights": "[5, 2.5, 2.5]"}, {12: YES, 11: NO}, "refused"),
    ],
)
@pytest.mark.parametrize("sequential", [False, True])
def test_it_is_decided_as_soon_as_it_is_certain(
    said: dict[str, str], sayings: dict[int, Any], result: str, sequential: bool
):
    vote = Vote(ballot(sequential, **said), {"voters": list(sayings) + [v for v in (11, 12, 13) if v not in sayings]}
                if sequential and "weights" not in said else VOTERS)  # fmt: skip
    if sequential and "weights" in said:
        sayings = dict(sorted(sayings.items()))

    for voter, form in sayings.items():
        if voter in vote.asked:
            assert len(vote.asked) == (1 if sequential else len(vote.asked))
            vote.says(voter, form)

    assert vote.asked == []
    assert vote.result["result"] == result


def test_the_holders_of_a_role_vote_without_those_who_left():
    vote = Vote(ballot(vote="all", voterRole="seal_office"), {}, Town(5, 6, 7, gone=(6,)))

    assert vote.asked == [5, 7]


@pytest.mark.parametrize(
    ("said", "data"),
    [
        ({"voters": "voters"}, {"voters": []}),
        ({"voters": "voters"}, {"voters": ["王敏"]}),
        ({"voters": "voters"}, {}),
        ({"voters": "voters"}, {"voters": [-1]}),
        ({"voterRole": "seal_office"}, {}),
        ({"voters": "voters", "vote": "weighted", "share": "1/2", "weights": '{"11": 1}'}, VOTERS),
        ({"voters": "voters", "vote": "weighted", "share": "1/2", "weights": "[1, 1, 0]"}, VOTERS),
        ({"voters": "voters", "vote": "weighted", "share": "1/2", "weights": "[1, 1]"}, VOTERS),
        ({"voters": "for i in 1..1001 return i"}, {}),
    ],
)
def test_voters_who_cannot_be_found_or_weighed_are_a_fault_at_the_shape(said: Any, data: Any):
    with pytest.raises(Fault) as fault:
        Vote(ballot(**{"vote": "all", **said}), data, Town())

    assert fault.value.details["node_id"] == "sign"


def test_where_nobody_is_found_the_drawing_may_let_it_pass_or_ask_the_administrators():
    passed = Vote(ballot(vote="all", voters="[]", nobody="pass"))
    asked = Vote(ballot(vote="all", voters="[]", nobody="admin"), {}, Town())

    assert passed.result["result"] == "approved" and passed.result["votes"] == []
    assert asked.asked == [1]


@pytest.mark.parametrize("sequential", [False, True])
def test_a_voter_is_added_and_taken_off_but_never_the_last_one_nor_one_who_has_voted(sequential: bool):
    vote = Vote(ballot(sequential, vote="all"))

    vote.adds(11, 14)
    with pytest.raises(Conflict, match="votes_already"):
        vote.adds(11, 14)
    vote.takes_off(11, 13)
    vote.says(11, YES)
    for voter, why in ((11, "has_voted"), (13, "votes_not"), (99, "votes_not")):
        with pytest.raises(Conflict, match=why):
            vote.takes_off(12, voter)
    vote.takes_off(12, 14)
    vote.says(12, YES)

    assert vote.result["result"] == "approved"
    assert [v["voter"] for v in vote.result["votes"]] == [11, 12]
    alone_there = Vote(ballot(sequential, vote="all"), {"voters": [11]})
    with pytest.raises(Conflict, match="last_voter"):
        alone_there.takes_off(11, 11)


def test_taking_off_the_one_whom_all_waited_for_decides_it():
    vote = Vote(ballot(vote="ratio", share="2/3"))

    vote.says(11, YES)
    vote.takes_off(12, 12)  # one of two is not enough
    assert vote.asked == [13]
    vote.says(13, YES)

    assert vote.result["result"] == "approved" and vote.result["voters"] == 2


def test_nobody_adds_more_weight_than_their_own():
    vote = Vote(ballot(vote="weighted", share="1/2", weights="[2, 1, 1]"))

    with pytest.raises(Invalid, match="too_heavy"):
        vote.adds(12, 14, "3/2")
    vote.adds(11, 14, "3/2")

    assert vote.asked == [11, 12, 13, 14]


def test_no_more_voters_than_anybody_could_count():
    vote = Vote(ballot(vote="all", voters="for i in 1..1000 return i"), {})

    with pytest.raises(Invalid, match="too_many_voters"):
        vote.adds(1, 2000)


@pytest.mark.parametrize("text", ["", "0", "-1/2", "3/2", "1/0", "two thirds", "1e-3", "101%", "nan"])
def test_a_share_that_nobody_could_mean_is_none(text: str):
    with pytest.raises(ValueError):
        share_of(text)


@given(st.fractions(min_value="1/100", max_value=1), st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_share_is_exact_at_its_border(share: Fraction, answers: list[bool]):
    """≥ share, to the last vote: no rounding either way."""
    came = verdict(Rule("ratio", share), [Seat(a) for a in answers])

    assert came is (answers.count(True) * share.denominator >= share.numerator * len(answers))


ACTS = st.tuples(
    st.sampled_from(["yes", "no", "yes", "no", "add", "off"]), st.integers(0, 40), st.integers(1, 9)
)


@hypothesis_settings(max_examples=60)
@given(
    kind=st.sampled_from(["all", "any", "ratio", "weighted"]),
    share=st.fractions(min_value="1/10", max_value=1, max_denominator=12),
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=7),
    acts=st.lists(ACTS, max_size=40),
    sequential=st.booleans(),
)
def test_any_order_of_votes_additions_and_removals_gives_the_plain_count(
    kind: str, share: Fraction, weights: list[int], acts: list[tuple[str, int, int]], sequential: bool
):
    """Against a reference that only keeps lists; saved and read back after each act."""
    said = {"vote": kind} | ({"share": str(share)} if kind in ("ratio", "weighted") else {})
    if kind == "weighted":
        said["weights"] = "weights"
    voters = list(range(1, len(weights) + 1))
    vote = Vote(ballot(sequential, **said), {"voters": voters, "weights": weights})
    seats: dict[int, int] = dict(zip(voters, weights, strict=True))
    said_so: dict[int, bool] = {}
    fresh = len(weights)

    def expected() -> str | None:
        weigh = (lambda v: seats[v]) if kind == "weighted" else (lambda _v: 1)
        total = sum(weigh(v) for v in seats)
        yes = sum(weigh(v) for v in seats if said_so.get(v) is True)
        no = sum(weigh(v) for v in seats if said_so.get(v) is False)
        if kind == "any":
            return ("approved" if yes else "refused") if said_so else None
        needed = 1 if kind == "all" else share
        return "approved" if yes >= needed * total else "refused" if total - no < needed * total else None

    for what, which, weight in acts:
        waiting = [v for v in vote.asked if v is not None]
        if not waiting:
            break
        by = waiting[which % len(waiting)]
        if what == "add":
            fresh += 1
            seats[fresh] = min(weight, seats[by]) if kind == "weighted" else 1
            vote.adds(by, fresh, str(seats[fresh]))
        elif what == "off":
            still = [v for v in seats if v not in said_so]
            if len(seats) > 1:
                gone = still[which % len(still)]
                vote.takes_off(by, gone)
                del seats[gone]
        else:
            vote.says(by, YES if what == "yes" else NO)
            said_so[by] = what == "yes"
        if expected() is not None:
            break
        assert set(vote.asked) <= set(seats) - set(said_so)
        assert len(vote.asked) == (1 if sequential else len(seats) - len(said_so))

    if expected() is None:
        assert [t.node.id for t in vote.run.tasks()] == ["sign"] * len(vote.asked)
    else:
        assert vote.result["result"] == expected()
        told = {v["voter"]: v["outcome"] for v in vote.result["votes"]}
        assert told == {v: {True: "approve", False: "refuse", None: None}[said_so.get(v)] for v in seats}


NONSENSE: list[tuple[dict[str, str], str, str]] = [
    ({"vote": "majority"}, MANY, "none of all"),
    ({"vote": "all"}, "", "multi-instance"),
    ({"vote": "all", "share": "1/2"}, MANY, "has no share"),
    ({"vote": "ratio"}, MANY, "is no share"),
    ({"vote": "ratio", "share": "5/3"}, MANY, "is no share"),
    ({"vote": "weighted", "share": "1/2"}, MANY, "needs them"),
    ({"vote": "all", "voters": "a +"}, MANY, "not FEEL"),
    ({"vote": "all", "voters": "__import__"}, MANY, "FEEL"),
    ({"vote": "all", "voterRole": "seal_office"}, MANY, "either voters or voterRole"),
    ({"vote": "all", "own": "superior"}, MANY, "own=superior"),
    ({"vote": "all", "merge": "true"}, MANY, "merge"),
    ({"vote": "all"}, MANY.replace("/>", f"><bpmn:completionCondition>true</bpmn:completionCondition></{TAG}>"),
     "completionCondition"),
    ({"addSigners": "no"}, "", "neither true nor false"),
    ({"share": "1/2"}, "", "not how it counts"),
    ({"repeat": "always"}, "", "none of ask, pass"),
    ({"repeat": "pass", "ownHand": "true"}, "", "only a person"),
    ({"nobody": "pass", "page": "/x"}, "", "only a person"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "inside", "why"), NONSENSE)
def test_what_fits_together_badly_is_refused_by_name(said: dict[str, str], inside: str, why: str):
    if "vote" in said:
        said = {"voters": "voters", **said}
    with pytest.raises(Invalid) as refused:
        alone(line(shape("userTask", "sign", extensions(properties(**said)) + inside), names=["sign"]))

    problems = refused.value.details["problems"]
    assert any(p["element"] == "sign" and why in p["message"] and p["message_zh"] for p in problems)


def test_a_vote_can_be_rehearsed_and_told_as_a_story():
    from app.bpmn.rehearse import rehearse
    from app.bpmn.simulate import play

    joined = ballot(vote="ratio", share="2/3", voterRole="seal_office")
    said = [
        {"task": "sign", "voter": 7, "form": YES},
        {"task": "sign", "form": YES},
        {"task": "after"},
    ]

    told = play(
        joined, {"people": {"seal_office": [5, 6, 7]}, "story": said, "then": {"finished": True}}, now=NOW
    )
    report = rehearse(joined.main, {}, now=NOW)

    assert told.problems == [] and told.passed.count("sign") == 3  # two votes, and that they were counted
    assert report["outcome"] == "ended" and report["processes"][0]["never_passed"] == []
