"""What the user's code has raised becomes words, whatever it does to prevent it."""

from __future__ import annotations

from evonas.evaluate.contract.raised import LOG, end_of_traceback, message_of, quoted, text_of
from evonas.evaluate.pools.inline import InlinePool
from evonas.testing.jobs import make_job, make_setup
from evonas.trial import TrialState


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class Nameless(type):
    @property
    def __name__(cls) -> str:
        raise SystemExit(3)


class Rude(Exception, metaclass=Nameless):
    def __str__(self) -> str:
        raise KeyboardInterrupt


def test_neither_the_kind_nor_the_text_can_end_the_search():
    assert message_of(Rude()) == "thing without a name: its text cannot be read"


def test_the_kind_and_the_text():
    assert message_of(ValueError("too small")) == "ValueError: too small"
    assert text_of(ValueError("too small")) == "too small"
    assert quoted("x" * 1000) == "'" + "x" * 76 + "..."


def test_a_text_that_cannot_be_read():
    assert message_of(Speechless()) == "Speechless: its text cannot be read"
    assert quoted(Speechless()) == "a Speechless"


def test_the_outcome_of_a_function_in_the_drivers_process_is_bounded(tmp_path):
    for error, words in (
        (ValueError("x\x1b\ud800\0" * 1_000_000), "ValueError: x\ufffd\ufffd\ufffdx"),
        (Speechless(), "Speechless: its text cannot be read"),
    ):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        pool = InlinePool(make_setup(tmp_path), fail)
        pool.submit(make_job())
        (report,) = pool.poll(0)
        assert report.outcome.state is TrialState.ERROR
        assert report.outcome.message.startswith(words)
        assert len(report.outcome.message) <= 4000
        assert len(report.outcome.details.log) <= LOG


def test_the_end_of_a_traceback_is_kept():
    try:
        raise ValueError("x" * 100_000 + "end")
    except ValueError:
        assert end_of_traceback().endswith("xend\n")
        assert len(end_of_traceback()) == LOG
