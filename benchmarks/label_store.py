"""Durability, tamper evidence and concurrency of the label store.

python benchmarks/label_store.py [--kills 1000] [--events 1000] [--labels 10000] [--processes 8] [--syncs 200]
                                 [--postgresql URL] [--folder DIR] [--only kills,tamper,writers,syncs] [--seed 0]

kills    a process writes labels and acknowledges each; it is killed (SIGKILL) at a random moment; every acknowledged
         label must be there, and the chain must verify. Kills do not test the disk: that is what the syncs are for.
tamper   with the triggers dropped, each column of each event is changed in the database, events are removed, swapped
         and inserted, hashes are made anew; each time the walk must name the first bad event.
writers  processes write at once; none may lose, double or be refused a label. Events per second of one writer too.
syncs    under strace: between two acknowledgements the log must be written and synced.

`--folder` names where the SQLite files lie: a folder on the disk that is meant. `--postgresql` names an empty database.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from graticule.record.events import COLUMNS, FLOATS, INTEGERS, EventDraft
from graticule.record.schema import TABLE, label_events
from graticule.record.store import LabelStore
from graticule.record.trail import ChainEnd, Verification, event_hash, verify_chain

CLASSES = ("basophil", "monocyte", "neutrophil")


def draft(who: str, i: int) -> EventDraft:
    """A label like those of a review."""
    return EventDraft(
        who,
        "label",
        f"{i:064x}",
        f"cells/{i:06d}.png",
        new_value=CLASSES[i % 3],
        reason="seen at full size",
        model_hash="ab" * 32,
        run_hash="cd" * 32,
        seconds=1.25 + i % 7,
        blind=i % 2 == 0,
        slot=1,
        sampling_prob=0.125,
        queue_reason="between monocyte and lymphocyte",
        client_id=f"{who}-{i}",
    )


def _write_until_killed(url: str, who: str, out: int) -> None:
    with LabelStore.open(url) as store:
        i = 0
        while True:
            event = store.append(draft(who, i))
            os.write(out, f"{event.seq} {event.hash} {event.client_id}\n".encode())
            i += 1


def kills(folder: Path, n: int, seed: int) -> None:
    """Kill a writer at random moments; a new file every 25 kills, so that the moment of its making is hit too."""
    chance = random.Random(seed)
    lost = unsound = acknowledged = unacknowledged = before_first = 0
    file = folder / "kills.db"
    for number in range(n):
        if number % 25 == 0:
            for old in folder.glob("kills.db*"):
                old.unlink()
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(source)
            _write_until_killed(str(file), f"p{number}", sink)
        os.close(sink)
        # three of four are killed while they write, the others from the start on: while the file is opened or made
        first = os.read(source, 1) if chance.random() < 0.75 else b""
        time.sleep(chance.choice((0.01, 0.1, 0.5)) * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told = (first + _read_all(source)).decode().split("\n")
        # a line that the kill cut is no acknowledgement
        lines = [line.split() for line in told[:-1]]
        acknowledged += len(lines)
        before_first += not lines
        if not file.exists():
            continue
        with LabelStore.open(str(file)) as store:
            there = {event.client_id: event for event in store.events() if event.who == f"p{number}"}
            unsound += not store.verify(store.head()).sound
        unacknowledged += len(there) - len(lines)
        for seq, digest, client_id in lines:
            event = there.get(client_id)
            lost += event is None or (event.seq, event.hash) != (int(seq), digest)
        if (number + 1) % 100 == 0:
            print(f"  {number + 1} kills: {acknowledged} acknowledged, {lost} lost, {unsound} unsound", flush=True)
    print(
        f"kills: {n}; acknowledged labels {acknowledged}, lost {lost}; stored without an acknowledgement "
        f"{unacknowledged}; chains not sound {unsound}; kills before the first acknowledgement {before_first}"
    )


def _read_all(source: int) -> bytes:
    with os.fdopen(source, "rb") as stream:
        return stream.read()


def _drop_guards(connection: Connection) -> None:
    on = f" ON {TABLE}" if connection.dialect.name == "postgresql" else ""
    for name in ("no_update", "no_delete", "next"):
        connection.execute(text(f"DROP TRIGGER {TABLE}_{name}{on}"))


def _walk(connection: Connection, head: ChainEnd | None = None) -> Verification:
    wanted = label_events.select().order_by(label_events.c.seq)
    return verify_chain(connection.execution_options(yield_per=100).execute(wanted).mappings(), head)


def _others(name: str, value: object, chance: random.Random) -> object:
    """Another value that the column takes."""
    if name in INTEGERS:
        return 0 if value == 1 else 1 if value is None else 10_000_000 + chance.randrange(1000)
    if name in FLOATS:
        return 0.0 if value is None else float(str(value)) + 2.0**-40
    if value is None:
        return ""
    return None if name in ("old_value", "reason", "model_hash") and chance.random() < 0.3 else f"{value}x"


def _attacks(rows: list[dict[str, object]], chance: random.Random) -> Iterator[tuple[str, int, list[tuple[str, dict]]]]:
    """Kind, first bad event, and statements with parameters."""
    n = len(rows)
    for row in rows:
        seq = int(str(row["seq"]))
        for name in COLUMNS:
            other = _others(name, row[name], chance)
            change = f"UPDATE {TABLE} SET {name} = :v WHERE seq = :s"
            yield f"column {name}", seq, [(change, {"v": other, "s": seq})]
    for seq in range(1, n):
        yield "removed", seq, [(f"DELETE FROM {TABLE} WHERE seq = :s", {"s": seq})]
        shift = f"UPDATE {TABLE} SET seq = -seq - :d WHERE seq > :s", f"UPDATE {TABLE} SET seq = -seq WHERE seq < 0"
        delete = (f"DELETE FROM {TABLE} WHERE seq = :s", {"s": seq})
        yield "removed and renumbered", seq, [delete, (shift[0], {"s": seq, "d": -1}), (shift[1], {})]
        other = chance.randrange(1, n + 1)
        if other != seq:
            moves = [(seq, -1), (other, seq), (-1, other)]
            change = f"UPDATE {TABLE} SET seq = :b WHERE seq = :a"
            yield "swapped", min(seq, other), [(change, {"a": a, "b": b}) for a, b in moves]
        forged = rows[seq - 1] | {"new_value": "forged", "client_id": f"forged {seq}"}
        again = f"UPDATE {TABLE} SET new_value = 'forged', client_id = :c, hash = :h WHERE seq = :s"
        yield (
            "changed, its hash made anew",
            seq,
            [(again, {"c": forged["client_id"], "h": event_hash(forged), "s": seq})],
        )
        insert = f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join(':' + c for c in COLUMNS)})"
        forged |= {"seq": seq + 1, "prev_hash": rows[seq - 1]["hash"]}
        forged["hash"] = event_hash(forged)
        make_room = [(shift[0], {"s": seq, "d": 1}), (shift[1], {})]
        yield "inserted and renumbered", seq + 1, [*make_room, (insert, forged)]


def tamper(url: str, n: int, seed: int) -> None:
    """Each attack in a transaction that is taken back; without a head, so by the chain alone."""
    chance = random.Random(seed)
    with LabelStore.open(url) as store:
        store.append_all([draft("ann", i) for i in range(n)])
        rows = [dict(row) for row in store.rows()]
        tried: dict[str, int] = {}
        found: dict[str, int] = {}
        named: dict[str, int] = {}
        with store._engine.connect() as connection:
            with connection.begin():
                _drop_guards(connection)
            for kind, first_bad, statements in _attacks(rows, chance):
                with connection.begin() as transaction:
                    for statement, values in statements:
                        connection.execute(text(statement), values)
                    result = _walk(connection)
                    transaction.rollback()
                tried[kind] = tried.get(kind, 0) + 1
                found[kind] = found.get(kind, 0) + (not result.sound)
                named[kind] = named.get(kind, 0) + (result.first_bad == first_bad)
                if result.first_bad != first_bad:
                    print(f"  {kind} of event {first_bad}: named {result.first_bad}, {result.problem}", flush=True)
        cut = sum(not verify_chain(rows[:k], ChainEnd(None, str(rows[-1]["hash"]))).sound for k in range(n))
    for kind, count in tried.items():
        print(f"tamper: {kind}: {count} tried, {found[kind]} found, {named[kind]} first bad event named")
    print(f"tamper: all: {sum(tried.values())} tried, {sum(found.values())} found, {sum(named.values())} named")
    print(f"tamper: cut tail with the head given: {n} tried, {cut} found")


def _write_labels(url: str, who: str, n: int) -> None:
    with LabelStore.open(url) as store:
        for i in range(n):
            event = draft(who, i)
            store.append(event)
            if i % 10 == 0:
                store.append(event)


def writers(url: str, n: int, processes: int) -> None:
    """One writer for the speed, then all at once; every tenth label is sent twice."""
    one = min(500, n)
    start = time.perf_counter()
    _write_labels(url, "alone", one)
    alone = time.perf_counter() - start
    each = n // processes
    start = time.perf_counter()
    children = []
    for k in range(processes):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _write_labels(url, f"p{k}", each)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    failed = sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)
    took = time.perf_counter() - start
    with LabelStore.open(url) as store:
        result = store.verify(store.head())
        ids = [event.client_id for event in store.events()]
    expected = {f"p{k}-{i}" for k in range(processes) for i in range(each)} | {f"alone-{i}" for i in range(one)}
    together = each * processes / took
    print(
        f"writers: {processes} processes, {each * processes} labels, every tenth sent twice: {failed} processes "
        f"refused, {len(expected - set(ids))} lost, {len(ids) - len(set(ids))} doubled, {len(set(ids) - expected)} "
        f"unknown, chain sound {result.sound}; {together:.0f} labels/s, one process alone {one / alone:.0f}/s"
    )


SYNC_WORKER = """
import os, sys
sys.path.insert(0, sys.argv[3])
from label_store import draft
from graticule.record.store import LabelStore
with LabelStore.open(sys.argv[1]) as store:
    for i in range(int(sys.argv[2])):
        store.append(draft("ann", i))
        os.write(1, b"ACKNOWLEDGED\\n")
"""


def syncs(folder: Path, n: int) -> None:
    """Count the acknowledgements before which the last write to the log was synced."""
    if shutil.which("strace") is None:
        print("syncs: strace is not installed")
        return
    trace = folder / "trace"
    words = ["strace", "-f", "-y", "-s", "32", "-e", "trace=pwrite64,write,fsync,fdatasync", "-o", str(trace)]
    worker = [sys.executable, "-c", SYNC_WORKER, str(folder / "syncs.db"), str(n), str(Path(__file__).parent)]
    subprocess.run([*words, *worker], check=True, stdout=subprocess.DEVNULL)
    seen = synced = 0
    written = clean = False
    for line in trace.read_text().splitlines():
        if "ACKNOWLEDGED" in line:
            seen += 1
            synced += written and clean
            written = clean = False
        elif re.search(r"pwrite64\(\d+<[^>]*-wal>", line):
            written, clean = True, False
        elif re.search(r"f(data)?sync\(\d+<[^>]*-wal>\)\s*= 0", line):
            clean = True
    print(f"syncs: SQLite: {seen} acknowledgements, {synced} with the log written and synced before")


def server_syncs(url: str, n: int) -> None:
    """The same for the server process of PostgreSQL that serves the store's connection; it must run on this machine."""
    with LabelStore.open(url) as store, tempfile.TemporaryDirectory() as place:
        trace = Path(place) / "trace"
        with store._engine.connect() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        calls = "trace=pwrite64,pwritev,fsync,fdatasync,sendto,recvfrom"
        tracer = subprocess.Popen(
            ["strace", "-y", "-s", "64", "-e", calls, "-o", str(trace), "-p", str(backend)], stderr=subprocess.PIPE
        )
        assert tracer.stderr is not None
        tracer.stderr.readline()
        for i in range(n):
            store.append(draft("syncs", i))
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        lines = trace.read_text().splitlines()
    seen = synced = 0
    written = clean = False
    for line in lines:
        if "pg_wal" in line and "pwrite" in line:
            written, clean = True, False
        elif "pg_wal" in line and "sync(" in line and line.endswith("= 0"):
            clean = True
        elif line.startswith("sendto(") and "COMMIT" in line:
            seen += 1
            synced += written and clean
            written = clean = False
    print(f"syncs: PostgreSQL: {seen} commits answered, {synced} with the log written and synced before")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--syncs", type=int, default=200)
    parser.add_argument("--postgresql")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="kills,tamper,writers,syncs")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chosen = given.only.split(",")
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder = Path(place)
        if "syncs" in chosen:
            syncs(folder, given.syncs)
        if "kills" in chosen:
            kills(folder, given.kills, given.seed)
        if "tamper" in chosen:
            tamper(str(folder / "tamper.db"), given.events, given.seed)
        if "writers" in chosen:
            writers(str(folder / "writers.db"), given.labels, given.processes)
        if given.postgresql and "writers" in chosen:
            writers(given.postgresql, given.labels, given.processes)
        if given.postgresql and "syncs" in chosen:
            server_syncs(given.postgresql, given.syncs)


if __name__ == "__main__":
    main()
