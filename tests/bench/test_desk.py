"""The inbox does not send more statements because others have tasks too."""

from flask import Flask

from app.bench import desk


def test_the_inbox_sends_as_many_statements_among_others_as_alone(app: Flask):
    time, statements = desk.compare(app, tasks=400, people_count=20, rounds=1)

    assert statements.ours == statements.baseline
    assert statements.ours <= 50
    assert time.goal == 0.5
