"""Drawing: every shape, in its state, in either language, and nothing a label could smuggle in."""

from datetime import UTC, datetime, timedelta

from lxml import etree

from app.bpmn.picture import Picture, Shape
from app.flows import queries, timeline
from app.flows.drawing import svg, wrapped
from app.text import Text
from tests.bpmn.diagrams import shipped


def test_every_shape_of_every_diagram_is_drawn():
    for diagram in shipped().values():
        for language in ("zh", "en"):
            drawn = etree.fromstring(
                str(svg(diagram.picture, done=frozenset(), current=frozenset(), language=language, title="t"))
            )
            shapes = [g for g in drawn.iter("{*}g", "g") if "shape" in (g.get("class") or "")]
            assert len(shapes) == len(diagram.nodes)


def test_a_label_cannot_bring_markup():
    evil = Shape("a", "userTask", Text("<script>x</script>", "<b>"), 0, 0, 100, 80)

    drawn = svg(
        Picture(0, 0, 100, 80, (evil,), ()),
        done=frozenset(),
        current=frozenset({"a"}),
        language="zh",
        title='"',
    )

    assert "<script>" not in drawn and 'current"' in drawn
    etree.fromstring(str(drawn))


def test_a_picture_without_coordinates_is_nothing():
    assert (
        svg(Picture(0, 0, 0, 0, (), ()), done=frozenset(), current=frozenset(), language="zh", title="") == ""
    )


def test_words_are_broken_where_they_may_be():
    assert wrapped("印章管理部门审核", 100) == ["印章管理部门", "审核"]
    assert wrapped("Review by the seal office", 100) == ["Review by", "the seal", "office"]


def test_urgency_is_reckoned_in_the_organisations_days(app: object):
    noon = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
    for hours, how in ((-1, "overdue"), (11, "today"), (13, "tomorrow"), (60, "soon"), (200, "later")):
        assert queries.urgency(noon + timedelta(hours=hours), noon) == how
    assert queries.urgency(None) == "none"


def test_history_tells_the_rule_and_the_decision_in_both_languages():
    def row(**said: object) -> queries.HistoryRow:
        plain: dict[str, object] = {
            "at": datetime(2026, 1, 1, tzinfo=UTC), "kind": "passed", "process": "p", "node": "n", "shape": "userTask",
            "label": Text("审核", "Review"), "actor": "王敏", "outcome": None, "opinion": None, "did": {},
        }  # fmt: skip
        return queries.HistoryRow(**{**plain, **said})  # type: ignore[arg-type]

    rule = {"rules": [{"index": 2, "description": "部门公章", "annotations": ["Department seals"]}]}
    entries = timeline.entries(
        [
            row(shape="businessRuleTask", did=rule),
            row(kind="done", outcome="send_back", opinion="重扫"),
            row(shape="exclusiveGateway"),
            row(kind="incident", actor="system", did={"zh": "坏", "en": "bad"}),
        ]
    )

    assert [e.detail for e in entries] == [
        Text("规则 2：部门公章", "Rule 2: Department seals"),
        Text("退回修改：重扫", "Sent back: 重扫"),
        Text("坏", "bad"),
    ]
    assert entries[2].state == "bad"
