from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator

import pytest

from evonas.evaluate.local.channel import Channel, LineTooLong


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, limit=100)
    with theirs:
        yield channel, theirs
    channel.close()


def test_lines_come_whole_however_they_are_cut(ends: tuple[Channel, socket.socket]) -> None:
    channel, peer = ends
    received = []
    for piece in (b"fi", b"rst\nsec", b"ond\n\nfo", b"urth", b"\n"):
        peer.sendall(piece)
        received.append(channel.receive())
    assert received == [[], [b"first"], [b"second", b""], [], [b"fourth"]]
    assert not channel.has_ended


def test_nothing_to_receive_is_no_end(ends: tuple[Channel, socket.socket]) -> None:
    channel, _ = ends
    assert channel.receive() == []
    assert not channel.has_ended


def test_the_end_comes_after_the_last_line(ends: tuple[Channel, socket.socket]) -> None:
    channel, peer = ends
    peer.sendall(b"last\nhalf of a")
    peer.close()
    assert channel.receive() == [b"last"]
    assert channel.has_ended
    assert channel.receive() == []


def test_a_reset_is_an_end(ends: tuple[Channel, socket.socket]) -> None:
    channel, peer = ends
    channel.send(b"never read\n")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert channel.receive() == []
    assert channel.has_ended
    channel.send(b"to nobody\n")


@pytest.mark.parametrize("data", [b"x" * 101, b"x" * 101 + b"\n", b"ok\n" + b"x" * 101])
def test_a_line_that_is_too_long(ends: tuple[Channel, socket.socket], data: bytes) -> None:
    channel, peer = ends
    peer.sendall(data)
    with pytest.raises(LineTooLong, match="100"):
        channel.receive()


def test_the_longest_line_allowed(ends: tuple[Channel, socket.socket]) -> None:
    channel, peer = ends
    peer.sendall(b"x" * 100 + b"\n")
    assert channel.receive() == [b"x" * 100]


def test_endless_talk_is_read_in_parts_or_whole(
    ends: tuple[Channel, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, peer = ends
    monkeypatch.setattr("evonas.evaluate.local.channel.CHUNK", 5)
    monkeypatch.setattr("evonas.evaluate.local.channel.CHUNKS", 2)
    peer.sendall(b"word\n" * 10)
    assert channel.receive() == [b"word"] * 2
    assert channel.receive(everything=True) == [b"word"] * 8


def test_what_the_socket_cannot_take_now_is_sent_later(ends: tuple[Channel, socket.socket]) -> None:
    channel, peer = ends
    data = bytes(range(256)) * 2**14
    channel.send(data)
    assert channel.events & select.POLLOUT
    received = bytearray()
    while len(received) < len(data):
        received += peer.recv(2**16)
        channel.flush()
    assert received == data
    assert not channel.events & select.POLLOUT
