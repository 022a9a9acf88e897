"""What a worker reads of its driver: jobs, and the word to end one of them early."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from evonas.evaluate.contract.orders import CUT_SHORT, Orders
from evonas.evaluate.contract.protocol import Job, encode
from evonas.testing.jobs import make_job


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Orders]]:
    driver, worker = socket.socketpair()
    with driver, worker:
        yield driver, Orders(worker)


def cut(job: Job) -> bytes:
    return encode({CUT_SHORT: {"trial": job.trial, "attempt": job.attempt}})


def test_messages_come_one_by_one_however_they_were_cut_up(
    ends: tuple[socket.socket, Orders],
) -> None:
    driver, orders = ends
    data = encode({"job": {"trial": 1}}) + encode({"job": {"trial": 2}})
    driver.sendall(data[:5])
    assert not orders.is_cut_short(make_job(1))
    driver.sendall(data[5:])
    assert orders.receive("job") == {"trial": 1}
    assert orders.receive("job") == {"trial": 2}


def test_only_the_attempt_at_work_is_cut_short(ends: tuple[socket.socket, Orders]) -> None:
    driver, orders = ends
    job = make_job(3, attempt=1)
    assert not orders.is_cut_short(job)
    driver.sendall(cut(make_job(3)) + cut(make_job(4, attempt=1)))
    assert not orders.is_cut_short(job)
    # The order may come together with the job.
    driver.sendall(cut(job))
    assert orders.is_cut_short(job)
    assert orders.is_cut_short(job)


def test_an_order_for_a_job_that_is_over_is_forgotten(ends: tuple[socket.socket, Orders]) -> None:
    driver, orders = ends
    driver.sendall(cut(make_job(3)) + encode({"job": {"trial": 3}}))
    assert orders.receive("job") == {"trial": 3}
    assert not orders.is_cut_short(make_job(3))


@pytest.mark.parametrize("last", [b"", b'{"job": {}}'])
def test_without_a_driver_there_is_nothing_to_do(
    ends: tuple[socket.socket, Orders], last: bytes
) -> None:
    driver, orders = ends
    driver.sendall(last)
    driver.close()
    assert not orders.is_cut_short(make_job(1))
    assert orders.receive("job") is None
