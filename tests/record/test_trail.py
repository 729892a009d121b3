"""The chain: every change of every field is found and the event is named; a head proves the tail."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.record.events import COLUMNS, FLOATS, INTEGERS
from graticule.record.trail import HASHED, START, ChainEnd, event_bytes, event_hash, parse_head, verify_chain

Row = dict[str, Any]
N = 9


def _row(seq: int, prev_hash: str) -> Row:
    row = dict.fromkeys(COLUMNS, "x") | dict.fromkeys(INTEGERS, 1) | dict.fromkeys(FLOATS, 0.5)
    row |= {"seq": seq, "client_id": f"id {seq}", "reason": None, "prev_hash": prev_hash}
    return row | {"hash": event_hash(row)}


def _continue(rows: list[Row], n: int) -> list[Row]:
    rows = list(rows)
    while len(rows) < n:
        rows.append(_row(len(rows) + 1, rows[-1]["hash"] if rows else START))
    return rows


@pytest.fixture
def chain() -> list[Row]:
    """A sound chain of N events."""
    return _continue([], N)


def test_encoding_is_the_documented_one() -> None:
    """Put together here by hand, from the description alone."""
    row = _row(7, "ab")
    row |= {"who": "Zo\u00eb", "old_value": None, "seconds": 2.25}
    expected = b"graticule.label-event.1\n"
    for name in HASHED:
        value = row[name]
        if value is None:
            expected += b"N"
        elif isinstance(value, str):
            expected += b"T" + struct.pack(">Q", len(value.encode("utf-8"))) + value.encode("utf-8")
        elif isinstance(value, float):
            expected += b"F" + struct.pack(">d", value)
        else:
            expected += b"I" + struct.pack(">q", value)
    assert event_bytes(row) == expected
    assert event_hash(row) == hashlib.sha256(expected).hexdigest()


def test_a_golden_hash() -> None:
    """Events stored by an earlier version must verify for ever: this number may never change."""
    assert event_hash(_row(1, START)) == "279506367a278e48fc1e697c9419744ac0dadb084f2cb7afc63e370215cab2c9"


def test_unicode_is_not_normalised() -> None:
    composed, decomposed = _row(1, START) | {"who": "\u00e9"}, _row(1, START) | {"who": "e\u0301"}
    assert event_hash(composed) != event_hash(decomposed)


def test_a_sound_chain(chain: list[Row]) -> None:
    found = verify_chain(chain)
    assert found.sound
    assert (found.n_events, found.head) == (N, ChainEnd(N, chain[-1]["hash"]))
    assert verify_chain([]).head == ChainEnd(0, START)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_field_of_every_event(chain: list[Row], name: str) -> None:
    others: tuple[Any, ...] = ("", "y", None, b"x", 3.5, 2)
    for k in range(N):
        for other in others:
            if type(other) is type(chain[k][name]) and other == chain[k][name]:
                continue
            rows = [dict(row) for row in chain]
            rows[k][name] = other
            found = verify_chain(rows)
            assert not found.sound, (name, k, other)
            if name != "seq":
                assert found.first_bad == k + 1, (name, k, other, found.problem)


@pytest.mark.parametrize("k", range(N))
def test_removed_events_are_named(chain: list[Row], k: int) -> None:
    rows = chain[:k] + chain[k + 1 :]
    found = verify_chain(rows, ChainEnd(N, chain[-1]["hash"]))
    assert found.first_bad == k + 1
    renumbered = [row | {"seq": i} for i, row in enumerate(rows, 1)]
    found = verify_chain(renumbered, ChainEnd(N, chain[-1]["hash"]))
    assert found.first_bad == k + 1
    assert "missing" in str(found.problem) if k == N - 1 else f"was event {k + 2}" in str(found.problem)


@pytest.mark.parametrize("k", range(1, N))
def test_inserted_events_are_named(chain: list[Row], k: int) -> None:
    forged = _row(k + 1, chain[k - 1]["hash"]) | {"who": "mallory"}
    forged["hash"] = event_hash(forged)
    shifted = [row | {"seq": row["seq"] + 1} for row in chain[k:]]
    found = verify_chain([*chain[:k], forged, *shifted])
    assert found.first_bad == k + 1
    assert "inserted" in str(found.problem)
    assert verify_chain([forged | {"seq": 0, "who": "eve"}, *chain]).first_bad == 0
    assert verify_chain([*chain[:k], chain[k - 1], *chain[k:]]).first_bad == k


def test_a_renumbered_event_is_named(chain: list[Row]) -> None:
    for k in range(N):
        for seq in (-3, 0, 99):
            rows = sorted([*chain[:k], *chain[k + 1 :], chain[k] | {"seq": seq}], key=lambda row: row["seq"])
            assert verify_chain(rows).first_bad == k + 1


def test_reordered_events_are_named(chain: list[Row]) -> None:
    for i in range(N):
        for j in range(i + 1, N):
            rows = [dict(row) for row in chain]
            rows[i], rows[j] = rows[j] | {"seq": i + 1}, rows[i] | {"seq": j + 1}
            found = verify_chain(rows)
            assert found.first_bad == i + 1, (i, j, found.problem)
            assert f"was event {j + 1}" in str(found.problem)


@pytest.mark.parametrize("k", range(N - 1))
def test_a_replaced_event_is_named_by_its_successor(chain: list[Row], k: int) -> None:
    rows = [dict(row) for row in chain]
    rows[k]["new_value"] = "other"
    rows[k]["hash"] = event_hash(rows[k])
    assert verify_chain(rows).first_bad == k + 1


@pytest.mark.parametrize("k", range(N))
def test_a_chain_made_anew_from_an_event_on_needs_a_head(chain: list[Row], k: int) -> None:
    forged = chain[k] | {"new_value": "other"}
    forged["hash"] = event_hash(forged)
    rows = _continue([*chain[:k], forged], N)
    assert verify_chain(rows).sound
    head = ChainEnd(None, chain[-1]["hash"])
    assert "made anew" in str(verify_chain(rows, head).problem)
    assert "made anew" in str(verify_chain(rows, ChainEnd(N, head.hash)).problem)
    assert verify_chain(rows, ChainEnd(k, chain[k - 1]["hash"] if k else START)).proven == k


@pytest.mark.parametrize("kept", range(N))
def test_a_cut_chain_needs_a_head(chain: list[Row], kept: int) -> None:
    assert verify_chain(chain[:kept]).sound
    assert not verify_chain(chain[:kept], ChainEnd(None, chain[-1]["hash"])).sound
    found = verify_chain(chain[:kept], ChainEnd(N, chain[-1]["hash"]))
    assert found.first_bad == kept + 1
    assert "cut" in str(found.problem)


def test_a_head_proves_up_to_its_event(chain: list[Row]) -> None:
    found = verify_chain(chain, ChainEnd(None, chain[4]["hash"]))
    assert (found.sound, found.proven, found.n_events) == (True, 5, N)
    assert not verify_chain(chain, ChainEnd(6, chain[4]["hash"])).sound


def test_heads_as_text() -> None:
    digest = "0a" * 32
    assert parse_head(digest) == ChainEnd(None, digest)
    assert parse_head(f" 12:{digest.upper()} ") == ChainEnd(12, digest)
    assert str(ChainEnd(12, digest)) == f"12:{digest}"
    for bad in ("", "12", digest[1:], f"-1:{digest}", f"{digest}0"):
        with pytest.raises(OptionError, match="allowed are 64 hexadecimal digits"):
            parse_head(bad)
