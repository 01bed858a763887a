"""The audit queue's one job: sequence the log. May be lost, doubled or killed; the next one does the work."""

from app.audit import sequencer


def sequence() -> None:
    sequencer.sequence()
