"""The review server under load: persons who label at once over HTTP, and how its time grows with the queue.

    python benchmarks/review_server.py people [--people 8] [--labels 10000] [--store labels.db | URL]
    python benchmarks/review_server.py growth [--small 1000] [--large 100000]

"people": each person is a process of its own that takes images and labels them over HTTP, every tenth label sent twice.
Afterwards the chain is verified and events, images and client ids are counted. "growth": the server's time for
/api/queue, /api/event, /api/grid and the record page with a small and a large queue, in turn, pictures left out.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from graticule.arrays import object_array
from graticule.decide.decisions import REVIEW
from graticule.images.preprocess import Preprocessing
from graticule.images.shown import shown_as_model_reads
from graticule.record.store import LabelStore
from graticule.review.class_items import ClassItems
from graticule.review.desk import Desk
from graticule.review.items import in_order
from graticule.review.pictures import ReviewPictures
from graticule.review.sight import Settings
from graticule.review.web.app import Listening, create_app, listen, serving
from graticule.review.web.context import Nearest

CLASSES = tuple(f"class {k}" for k in range(8))


def made_up(n: int, folder: Path, seed: int = 0) -> tuple[ClassItems, list[Path]]:
    """n items that all need a look; every file is the same small picture under another hash."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(len(CLASSES), 0.5), size=n)
    pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    file = folder / "picture.png"
    PIL.Image.fromarray(pixels).save(file)
    best = [CLASSES[k] for k in proba.argmax(axis=1)]
    items = ClassItems(
        sha256=object_array([hashlib.sha256(b"%d" % i).hexdigest() for i in range(n)]),
        path=object_array([f"images/{i:06d}.png" for i in range(n)]),
        classes=CLASSES,
        proba=proba,
        sets=((),) * n,
        novelty=np.full(n, 0.5),
        decision=np.full(n, REVIEW, object),
        reason=np.full(n, "between two classes", object),
        nearest=((),) * n,
        given=object_array([""] * n),
        group=object_array([""] * n),
        suspicion=np.full(n, np.nan),
        suggested=object_array(best),
        sampling_prob=np.full(n, np.nan),
    )
    return in_order(items), [file] * n


class Client:
    """One person's browser: a connection that is kept, and a session."""

    def __init__(self, port: int, token: str, name: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self._headers = {"Origin": f"http://127.0.0.1:{port}"}
        answer = self._ask("GET", f"/?token={token}")[1]
        self._headers["Cookie"] = answer.split(";")[0]
        self._ask("POST", "/who", f"name={name}", "application/x-www-form-urlencoded")

    def _ask(self, method: str, path: str, body: str | None = None, kind: str = "") -> tuple[int, str, bytes]:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, answer.getheader("set-cookie") or "", content

    def get(self, path: str) -> Any:
        """JSON of an address."""
        return json.loads(self._ask("GET", path)[2])

    def page(self, path: str) -> int:
        """Status of a page."""
        return self._ask("GET", path)[0]

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON."""
        status, _, content = self._ask("POST", path, json.dumps(body), "application/json")
        return status, json.loads(content)


def opened(n: int, folder: Path, labels: str) -> tuple[Desk, Any, Listening]:
    """A review of n items that is ready to be served."""
    items, files = made_up(n, folder)
    store = LabelStore.open(labels)
    read = partial(shown_as_model_reads, preprocessing=Preprocessing(64))
    pictures = ReviewPictures(files, items.sha256.tolist(), [], read, folder / "thumbs")
    desk = Desk(items, store, Settings(source="a measurement"))
    listening = listen("127.0.0.1", 0, fallback=False)
    pictures.is_changed = lambda place: False  # type: ignore[method-assign]
    return desk, create_app(desk, pictures, Nearest({}, []), listening.gate, "someone"), listening


def work(port: int, token: str, name: str, seed: int, results: Any) -> None:
    """Label until nothing is left; put what was acknowledged and how long it took into the queue."""
    client, rng = Client(port, token, name), np.random.default_rng(seed)
    acknowledged, seconds, errors = [], [], []
    while found := client.get("/api/queue?kind=all&n=2")["items"]:
        for item in found:
            event = {"client_id": str(uuid.uuid4()), "action": "label", "image": item["id"], "blind": False,
                     "value": CLASSES[int(rng.integers(len(CLASSES)))], "seconds": 1.0}  # fmt: skip
            for _ in range(2 if rng.random() < 0.1 else 1):
                start = time.perf_counter()
                status, content = client.post("/api/event", event)
                seconds.append(time.perf_counter() - start)
            if status == 201:
                acknowledged.append((item["id"], event["client_id"], content["seq"]))
            else:
                errors.append(f"{status} {content}")
    results.put((name, acknowledged, seconds, errors))


def people(options: argparse.Namespace) -> None:
    """Print what several persons did at once, and whether the record holds it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        labels = options.store or str(folder / "labels.db")
        desk, app, listening = opened(options.labels, folder, labels)
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        with serving(app, listening):
            start = time.perf_counter()
            workers = [
                context.Process(target=work, args=(listening.port, listening.gate.token, f"person {i}", i, results))
                for i in range(options.people)
            ]
            for worker in workers:
                worker.start()
            found = [results.get() for _ in workers]
            for worker in workers:
                worker.join()
            wall = time.perf_counter() - start
        events = [event for event in desk.store.events() if event.action == "label"]
        acknowledged = [one for _, own, _, _ in found for one in own]
        stored = {(e.image_sha256, e.client_id, e.seq) for e in events}
        errors = [error for *_, own in found for error in own]
        times = sorted(s for _, _, own, _ in found for s in own)
        sys.stdout.write(
            f"{options.people} persons, {len(events):,} labels in {wall:.0f} s ({len(events) / wall:.0f}/s) in "
            f"{desk.store.shown}\nacknowledged {len(acknowledged):,}, lost {len(set(acknowledged) - stored)}, images "
            f"labelled twice {len(events) - len({e.image_sha256 for e in events})}, refused {len(errors)}"
            f"{' first: ' + errors[0] if errors else ''}, 'locked' {sum('locked' in e for e in errors)}\n"
            f"answer to a label: median {1e3 * statistics.median(times):.1f} ms, 99 % "
            f"{1e3 * times[int(0.99 * len(times))]:.1f} ms; chain sound: {desk.store.verify().sound}\n"
        )
        desk.store.close()


def growth(options: argparse.Namespace) -> None:
    """Print times of the small and the large review, measured in turn on one machine."""
    with tempfile.TemporaryDirectory() as scratch:
        sizes, clients, stops = (options.small, options.large), {}, []
        times: dict[tuple[str, int], list[float]] = {}
        for n in sizes:
            folder = Path(scratch) / str(n)
            folder.mkdir()
            desk, app, listening = opened(n, folder, str(folder / "labels.db"))
            server = serving(app, listening)
            server.__enter__()
            stops.append((server, desk))
            clients[n] = Client(listening.port, listening.gate.token, "ann")

        def timed(what: str, n: int, action: Any) -> Any:
            start = time.perf_counter()
            answer = action()
            times.setdefault((what, n), []).append(time.perf_counter() - start)
            return answer

        for round_ in range(options.rounds):
            for n in sizes if round_ % 2 else sizes[::-1]:
                client = clients[n]
                item = timed("next image", n, lambda c=client: c.get("/api/queue?n=1"))["items"][0]
                event = {"client_id": str(uuid.uuid4()), "action": "label", "image": item["id"],
                         "value": CLASSES[0], "blind": False}  # fmt: skip
                timed("label", n, lambda c=client, e=event: c.post("/api/event", e))
                timed("review page", n, lambda c=client: c.page("/"))
                if round_ % 10 == 0:
                    timed("grid", n, lambda c=client: c.get("/api/grid?class=class%201&kind=all"))
                    timed("record page", n, lambda c=client: c.page("/record"))
        for what in dict.fromkeys(name for name, _ in times):
            small, large = (1e3 * statistics.median(times[what, n]) for n in sizes)
            sys.stdout.write(
                f"{what}: {small:.2f} ms with {sizes[0]:,}, {large:.2f} with {sizes[1]:,}: {large / small:.2f} times\n"
            )
        for server, desk in stops:
            server.__exit__(None, None, None)
            desk.store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("people", "growth"))
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--store")
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    (people if options.what == "people" else growth)(options)


if __name__ == "__main__":
    main()
