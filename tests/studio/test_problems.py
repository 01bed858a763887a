"""Shows 2: a draft with each of these mistakes gets a sentence that names the step and the remedy, before publishing."""

import ast
import re
from pathlib import Path

import pytest

from app.flows import versions
from app.flows.versions import Papers
from app.refusal import Invalid
from app.studio import commands, problems, queries, releasing, words
from app.studio.problems import Trouble
from tests.conftest import ONE_DATABASE
from tests.people.makers import Town
from tests.studio.mistakes import MISTAKES

LINT = Path(__file__).parents[2] / "app" / "bpmn"


def troubles(papers: Papers) -> list[Trouble]:
    return problems.of_papers(papers)


@ONE_DATABASE
def test_each_of_many_mistakes_is_said_in_plain_words_with_its_step_and_its_remedy(people_here: Town):
    assert len(MISTAKES) >= 25
    good = versions.papers_of(versions.version("seal_approval"))
    assert troubles(good) == []
    unsaid = []
    for mistake in MISTAKES:
        told = troubles(mistake.make(good))
        found = [
            t
            for t in told
            if t.rule == mistake.rule
            and t.element == mistake.element
            and mistake.zh in t.text.zh
            and mistake.en.lower() in t.text.en.lower()
        ]
        if not found:
            unsaid.append((mistake.rule, mistake.element, [(t.rule, t.element, t.text) for t in told]))
            continue
        assert found[0].remedy.zh and found[0].remedy.en
        for t in told:
            for sentence in (t.text, t.remedy):
                assert "legal_review" not in str(sentence), sentence  # no id where there is a name
                assert not re.search(r"[㐀-鿿]", re.sub("[“”].*?[“”]", "", sentence.en)), sentence
    assert unsaid == []


def test_what_is_wrong_is_not_published_and_what_is_only_advised_against_is(people_here: Town):
    owner = people_here.actor("owner")
    good = versions.papers_of(versions.version("seal_approval"))
    for mistake, published in ((MISTAKES[0], False), (MISTAKES[9], True)):
        papers = mistake.make(good)
        ident = commands.open_draft(
            "seal_approval", 1, bpmn=papers.bpmn, tables=papers.tables, forms=papers.forms,
            scenarios=papers.stories, by=owner,
        ).draft_id  # fmt: skip
        assert queries.draft(ident, owner).revision == 1
        if published:
            assert releasing.publish(ident, releasing.Plan(1, 1), by=owner).version == 2
        else:
            with pytest.raises(Invalid, match="Legal review"):
                releasing.publish(ident, releasing.Plan(1, 1), by=owner)


def test_every_rule_of_the_checks_has_its_words():
    """The second word of each `problem(...)`, `missing(...)`: a rule that is added must be said to people too."""
    rules: set[str] = set()
    for path in LINT.glob("lint*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and len(call.args) > 1:
                second = call.args[1]
                named = call.func.id in ("problem", "missing")
                if named and isinstance(second, ast.Constant):
                    rules.add(str(second.value))
    assert len(rules) > 20
    assert rules <= set(words.WORDS), rules - set(words.WORDS)
