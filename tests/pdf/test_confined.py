"""A file made to hurt hurts a process of its own, and gets an answer in bounded time."""

import mmap
import os
import signal

import pytest

from app.pdf import confined as module
from app.pdf.confined import confined
from app.pdf.faults import NotAPdf, Unanswered
from app.pdf.inspecting import inspect
from tests.pdf import makers


def endless() -> None:
    while True:
        pass


def greedy() -> int:
    return len(b"x" * (8 << 30))


def roomy() -> int:
    return len(b"x" * (256 << 20))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_the_press_gives_comes_back() -> None:
    assert len(confined(inspect, makers.small_pdf()).pages) == 1


def test_a_refusal_comes_back_whole() -> None:
    with pytest.raises(NotAPdf) as caught:
        confined(inspect, b"no pdf")

    assert caught.value.code == "pdf.not_a_pdf"
    assert caught.value.text.zh.startswith("这个文件不是 PDF")


def test_endless_work_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    with pytest.raises(Unanswered):
        confined(endless)


@pytest.mark.parametrize("work", [greedy, crash])
def test_a_process_that_dies_is_an_answer_too(work: object) -> None:
    with pytest.raises(Unanswered):
        confined(work)  # type: ignore[arg-type]


def test_a_helper_that_died_is_replaced() -> None:
    confined(inspect, makers.small_pdf())
    helper = module._here.helper
    assert helper is not None
    helper.kill()
    helper.wait()

    assert len(confined(inspect, makers.small_pdf()).pages) == 1


def test_a_program_of_one_thread_needs_no_helper() -> None:
    with module.forking_directly():
        assert len(confined(inspect, makers.small_pdf()).pages) == 1
        with pytest.raises(NotAPdf):
            confined(inspect, b"no pdf")
        with pytest.raises(Unanswered):
            confined(crash)


def test_a_large_program_leaves_its_child_as_much_memory_as_a_small_one() -> None:
    reserved = mmap.mmap(-1, module.MEMORY_BYTES + (64 << 20))  # address space only: nothing is written to it

    with module.forking_directly(), reserved:
        assert confined(roomy) == 256 << 20
