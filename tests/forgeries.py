"""Bundles behind right checksums that no verb may take, made from an honest one, kind by kind."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save
from tests.forged_networks import BUILT, raw_networks

FILES = ("model.onnx", "head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md")
Tensors = dict[str, NDArray[Any]]
Contents = dict[str, bytes]
Forgery = Callable[[Contents], Contents]


def contents_of(bundle: Path) -> Contents:
    """The files of a bundle."""
    return {name: (bundle / name).read_bytes() for name in FILES}


def write(folder: Path, contents: Contents) -> None:
    """A bundle of these files, with the checksums that they have."""
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    lines = [f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in FILES]
    (folder / "SHA256SUMS").write_bytes("".join(lines).encode())


def _info(change: Callable[[dict[str, Any]], Any]) -> Forgery:
    def forged(contents: Contents) -> Contents:
        document = json.loads(contents["bundle.json"])
        change(document)
        return contents | {"bundle.json": json.dumps(document).encode()}

    return forged


def _set(value: Any, *place: str) -> Forgery:
    """One entry of bundle.json set to another value."""

    def change(document: dict[str, Any]) -> None:
        for name in place[:-1]:
            document = document[name]
        document[place[-1]] = value

    return _info(change)


def _text(old: str, new: str) -> Forgery:
    def forged(contents: Contents) -> Contents:
        text = json.dumps(json.loads(contents["bundle.json"]))
        assert old in text, old
        return contents | {"bundle.json": text.replace(old, new, 1).encode("utf-8", "surrogatepass")}

    return forged


def _tensors(file: str, change: Callable[[Tensors], Any]) -> Forgery:
    name = f"{file}.safetensors"

    def forged(contents: Contents) -> Contents:
        tensors = {key: value.copy() for key, value in load(contents[name]).items()}
        change(tensors)
        return contents | {name: save({key: np.ascontiguousarray(value) for key, value in tensors.items()})}

    return forged


def _put(file: str, tensor: str, made: Callable[[NDArray[Any]], Any]) -> Forgery:
    """One tensor replaced by what is made of it; its type is kept where the outcome is a plain number or list."""

    def change(tensors: Tensors) -> None:
        old = tensors[tensor]
        new = made(old)
        tensors[tensor] = new if isinstance(new, np.ndarray) else np.asarray(new, old.dtype)

    return _tensors(file, change)


def _at(place: Any, value: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def made(old: NDArray[Any]) -> NDArray[Any]:
        new = old.copy()
        new[place] = value
        return new

    return made


def _file(name: str, made: Callable[[bytes], bytes]) -> Forgery:
    return lambda contents: contents | {name: made(contents[name])}


def _header(made: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """A safetensors file with another header."""

    def forged(content: bytes) -> bytes:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        changed = made(header)
        text = changed if isinstance(changed, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return forged


def _paths(first: str) -> Forgery:
    def made(old: NDArray[Any]) -> NDArray[Any]:
        rest = old.tobytes().decode().split("\n")[1:]
        return np.frombuffer("\n".join([first, *rest]).encode(), np.uint8)

    return _put("reference", "paths", made)


def _fewer(n: int) -> Forgery:
    """The reference cut to n rows; bundle.json is told of it, so that only what hangs on the rows gives it away."""
    own = ("features", "pixel_sha256", "class")

    def cut(tensors: Tensors) -> None:
        for name in own:
            tensors[name] = tensors[name][:n]
        names = tensors["paths"].tobytes().split(b"\n")[:n]
        tensors["paths"] = np.frombuffer(b"\n".join(names), np.uint8)

    return lambda contents: _set(n, "n_training")(_tensors("reference", cut)(contents))


def _documents() -> Iterator[tuple[str, Forgery]]:
    """bundle.json."""
    yield "calibration: NaN", _text('"method": "none"', '"method": "temperature", "slope": [NaN], "offset": [0.0]')
    yield "JSON: Infinity", _text('"n_training": ', '"n_training": Infinity, "x": ')
    yield "JSON: 1e999", _text('"method": "none"', '"method": "temperature", "slope": [1e999], "offset": [0.0]')
    yield "JSON: a number of 5,000 digits", _text('"views": ', '"views": ' + "1" * 5000)
    yield "JSON: a key twice", _text('"views": ', '"views": 8, "views": ')
    yield "JSON: nested 100,000 deep", _file("bundle.json", lambda _: b'{"a":' * 100_000)
    yield "JSON: nested in a field", _text('"parity": null', '"parity": ' + '{"a":' * 60_000 + "1" + "}" * 60_000)
    yield "JSON: half a surrogate", _text('"heads": "', '"heads": "\\ud800')
    yield "JSON: no object", _file("bundle.json", lambda _: b"[]")
    yield "JSON: 30 MB", _file("bundle.json", lambda content: content + b" " * 30_000_000)
    yield "an unknown field", _set(1, "surprise")
    yield "another version", _set(2, "schema_version")
    yield "a version that is true", _set(True, "schema_version")
    yield "classes: one twice", _info(lambda d: d.update(classes=[d["classes"][0], *d["classes"][:-1]]))
    for words, name in (
        ("a bell", "a\x07b"),
        ("an escape sequence", "\x1b[2Jred"),
        ("a line break", "a\nb"),
        ("a C1 control", "a\x9bb"),
        ("a line separator", "a\u2028b"),
        ("a path", "../../a"),
        ("nothing", ""),
        ("blanks", "  "),
        ("5,000 letters", "a" * 5000),
    ):
        yield f"classes: {words}", _info(lambda d, name=name: d["classes"].__setitem__(0, name))
    yield "classes: one only", _info(lambda d: d.update(classes=d["classes"][:1]))
    yield "classes: one more than the head", _info(lambda d: d["classes"].append("more"))
    yield "classes: one less than the head", _info(lambda d: d.update(classes=[*d["classes"][:-2], "both"]))
    yield "classes: numbers", _info(lambda d: d.update(classes=list(range(len(d["classes"])))))
    yield "views: 3", _set(3, "views")
    yield "views: true", _set(True, "views")
    yield "backbone: a line break", _set("resnet18\ngraticule: done", "backbone")
    yield "licence: an escape sequence", _set("\x1b]0;owned\x07MIT", "licence")
    yield "licence: a turned text", _set("\u202etxt", "licence")
    yield "hash: no hash", _set("0" * 63 + "g", "data_sha256")
    yield "features: more than there are", _info(lambda d: d.update(n_features=d["n_features"] + 1))
    yield "features: 10^15", _set(10**15, "n_features")
    yield "parts: more than the features", _info(lambda d: d["parts"].update(more=7))
    yield "parts: one of a negative length", _info(lambda d: d["parts"].update(centre=-992))
    yield "parts: another length of the centre", _info(lambda d: d["parts"].update(centre=991, whole=993))
    yield "features: a text", _set("992", "n_features")
    yield "output: one that is not there", _set("logits", "output")
    yield "images: none", _set(0, "n_training")
    yield "images: another number", _info(lambda d: d.update(n_training=d["n_training"] + 1))
    yield "parity: nested", _set({"a": {"b": []}}, "parity")
    yield "reference: incomplete", _set({"backbone": "efficientnet_lite0"}, "reference")
    described = {"backbone": "efficientnet_lite0", "views": 1, "model_sha256": "0" * 64, "sizes": False}
    yield (
        "reference: of another network",
        _info(lambda d: d.update(reference=described | {"preprocessing": d["preprocessing"]})),
    )
    for words, value in (
        ("0", 0), ("-5", -5), ("10^9", 10**9), ("a text", "224"), ("a share", 224.5), ("5,000", 5000), ("true", True)
    ):  # fmt: skip
        yield f"input size: {words}", _set(value, "preprocessing", "size")
    yield "resampling: unknown", _set("magic", "preprocessing", "resample")
    yield "scale: 0", _set(0, "preprocessing", "scale_nm")
    yield "preprocessing: an unknown entry", _set(1, "preprocessing", "surprise")
    yield "preprocessing: empty", _set({}, "preprocessing")
    yield "window: upside down", _set([["8 bit", 200, 100]], "preprocessing", "intensity", "windows")
    yield "window: wider than numbers", _set([["8 bit", -1.7e308, 1.7e308]], "preprocessing", "intensity", "windows")
    yield "window: of no kind", _set([["\x1b[2J", 0, 1]], "preprocessing", "intensity", "windows")
    yield "pixel kinds: unknown", _set(["many bits"], "preprocessing", "intensity", "kinds")
    yield "pixel kinds: a text", _set("8 bit", "preprocessing", "intensity", "kinds")
    yield "policy: unknown", _set("random", "preprocessing", "intensity", "policy")
    yield "plane: -1", _set(-1, "preprocessing", "selection", "z")
    yield "plane: a share", _set(1.5, "preprocessing", "selection", "z")
    yield "channels: two", _set([0, 1], "preprocessing", "selection", "channel")
    yield "page: a text", _set("first", "preprocessing", "selection", "page")
    yield "calibration: unknown", _set({"method": "magic"}, "calibration")
    yield "calibration: no object", _set([1], "calibration")
    yield "calibration: one number for all", _set({"method": "vector", "slope": [1.0], "offset": [0.0]}, "calibration")
    yield "calibration: texts", _set({"method": "temperature", "slope": ["1"], "offset": ["0"]}, "calibration")
    yield "calibration: nested", _set({"method": "temperature", "slope": [[1.0]], "offset": [0.0]}, "calibration")
    falling = {"method": "isotonic"} | {
        f"{a}{k}": v for k in range(9) for a, v in (("x", [0.0, 1.0]), ("y", [1.0, 0.0]))
    }
    yield "calibration: falling", _set(falling, "calibration")
    yield (
        "calibration: endless slopes",
        _set({"method": "temperature", "slope": [1e308], "offset": [1e308]}, "calibration"),
    )
    yield "rule: a threshold of 2", _info(lambda d: d["thresholds"].update(threshold=[2.0] * len(d["classes"])))
    yield "rule: of another number of classes", _info(lambda d: d["thresholds"].update(threshold=[0.5]))
    yield "rule: of other evidence", _info(lambda d: d["thresholds"].update(n=d["thresholds"]["n"] + 1))
    yield "rule: more errors than images", _info(lambda d: d["thresholds"].update(errors=10**6))
    yield "rule: unknown status", _info(lambda d: d["thresholds"].update(status="certain"))
    yield "rule: a target of 2", _info(lambda d: d["thresholds"].update(target=2.0))
    yield "rule: words that clear the screen", _info(lambda d: d["thresholds"].update(words="\x1b[2J"))
    yield "rule: empty", _set({}, "thresholds")


def _heads() -> Iterator[tuple[str, Forgery]]:
    """head.safetensors of linear heads."""
    for words, tensor, made in (
        ("NaN", "0.weights", _at((0, 0), np.nan)),
        ("infinite", "0.bias", _at(0, np.inf)),
        ("one column for all", "0.weights", lambda w: w[:, :1]),
        ("one row for all", "0.weights", lambda w: w[:1]),
        ("one bias for all", "0.bias", lambda b: b[:1]),
        ("half precision", "0.weights", lambda w: w.astype(np.float16)),
        ("temperature 0", "0.temperature", lambda t: np.zeros_like(t)),
        ("more rooted than there are", "0.rooted", lambda r: r * 0 + 10**6),
        ("rooted below none", "0.rooted", lambda r: r * 0 - 1),
        ("temperature below 0", "0.temperature", lambda t: -t),
        ("temperature NaN", "0.temperature", lambda t: t * np.nan),
        ("a list of temperatures", "0.temperature", lambda t: np.ones(3)),
        ("weights turned", "0.weights", lambda w: w.T),
    ):
        yield f"head: {words}", _put("head", tensor, made)
    yield "head: a tensor is missing", _tensors("head", lambda t: t.pop("0.bias"))
    yield "head: a tensor more", _tensors("head", lambda t: t.update({"0.surprise": np.ones(1)}))
    yield "head: a foreign name", _tensors("head", lambda t: t.update({"__class__": np.ones(1)}))
    yield "head: numbered with a gap", _tensors("head", lambda t: t.update({"77.bias": t["0.bias"]}))
    yield "head: none", _tensors("head", lambda t: t.clear())


def _references() -> Iterator[tuple[str, Forgery]]:
    """reference.safetensors."""
    yield "reference: too few rows", _fewer(4)
    yield "reference: one row", _fewer(1)
    for words, tensor, made in (
        ("fewer rows than images", "features", lambda f: f[:-1]),
        ("features NaN", "features", _at((0, 0), np.nan)),
        ("features infinite", "features", _at((0, 0), np.inf)),
        ("features of another length", "features", lambda f: f[:, :-1]),
        ("one feature for all", "features", lambda f: f[:, :1]),
        ("no features", "features", lambda f: f[:0]),
        ("features in 64 bits", "features", lambda f: f.astype(np.float64)),
        ("a class out of range", "class", _at(0, 99)),
        ("a class below 0", "class", _at(0, -1)),
        ("hashes of 16 bytes", "pixel_sha256", lambda h: h[:, :16]),
        ("paths that end early", "paths", lambda p: p[:20]),
        ("paths that are no text", "paths", _at(0, 0xFF)),
        ("evidence above 1", "evidence.proba", lambda p: p * 3),
        ("evidence NaN", "evidence.calibrated", _at((0, 0), np.nan)),
        ("evidence below 0", "evidence.proba", lambda p: p - 1),
        ("evidence of one class", "evidence.proba", lambda p: p[:, :1]),
        ("evidence of a class out of range", "evidence.y", _at(0, 99)),
        ("evidence of a fold out of range", "evidence.fold", _at(0, 99)),
        ("evidence of a fold below -1", "evidence.fold", _at(0, -7)),
        ("evidence of mixed folds", "evidence.fold", _at(0, -1)),
        ("evidence of a unit below 0", "evidence.unit", _at(0, -1)),
        ("evidence of other lengths", "evidence.y", lambda y: y[:-1]),
        ("evidence of unknown kind", "evidence.kind", lambda k: k + 7),
        ("evidence without a kind", "evidence.kind", lambda k: k[:1]),
        ("novelty NaN", "novelty.space.centre", _at(0, np.nan)),
        ("novelty with a scale of 0", "novelty.space.scale", lambda s: s * 0),
        ("novelty with a scale below 0", "novelty.space.scale", lambda s: -s),
        ("novelty with one centre for all", "novelty.space.centre", lambda c: c[:1]),
        ("novelty without directions", "novelty.space.basis", lambda b: b * 0),
        ("novelty with directions enlarged", "novelty.space.basis", lambda b: b * 1e6),
        ("novelty with equal directions", "novelty.space.basis", lambda b: np.repeat(b[:, :1], b.shape[1], 1)),
        ("novelty that measures nothing", "novelty.space.within", lambda w: w * 0),
        ("novelty not of full rank", "novelty.space.total", _at((slice(None), 0), 0)),
        ("novelty with one mean for all", "novelty.space.means", lambda m: m[:, :1]),
        ("novelty without spread", "novelty.spread", lambda s: s * 0),
        ("novelty with a spread below 0", "novelty.spread", lambda s: -s),
        ("novelty of other lengths", "novelty.weight", lambda w: w[:-1]),
        ("novelty with weights below 0", "novelty.weight", lambda w: -w),
        ("novelty with infinite evidence", "novelty.evidence", _at(0, np.inf)),
        ("novelty of a fold below 0", "novelty.fold", _at(0, -1)),
        ("novelty told otherwise", "novelty.told", lambda t: t[:1]),
        ("novelty mixed otherwise", "novelty.mixing", lambda m: m[:1]),
    ):
        yield f"reference: {words}", _put("reference", tensor, made)
    for name in (
        "features",
        "pixel_sha256",
        "class",
        "evidence.kind",
        "evidence.proba",
        "novelty.evidence",
        "novelty.fold",
    ):
        yield f"reference: without {name}", _tensors("reference", lambda t, name=name: t.pop(name))
    yield "reference: a tensor more", _tensors("reference", lambda t: t.update({"surprise": np.ones(1)}))
    for words, path in (
        ("with a NUL", "a\0b.png"),
        ("that is absolute", "/etc/passwd"),
        ("that climbs out", "../../x.png"),
        ("with an escape sequence", "\x1b[2J.png"),
        ("escaped wrongly", "a\\qb.png"),
        ("that is empty", ""),
    ):
        yield f"reference: a path {words}", _paths(path)


def _containers() -> Iterator[tuple[str, Forgery]]:
    """The files below their tensors, and the rest of the folder."""
    for file in ("head.safetensors", "reference.safetensors"):
        yield f"{file}: empty", _file(file, lambda _: b"")
        yield f"{file}: a header of 2^60 bytes", _file(file, lambda c: struct.pack("<Q", 2**60) + c[8:])
        yield f"{file}: a header beyond its end", _file(file, lambda c: struct.pack("<Q", len(c)) + c[8:])
        yield f"{file}: a header nested deep", _file(file, _header(lambda h: b'{"a":' * 50_000))
        yield (
            f"{file}: tensors that overlap",
            _file(
                file,
                _header(
                    lambda h: [
                        e.update(data_offsets=[0, e["data_offsets"][1] - e["data_offsets"][0]]) for e in h.values()
                    ]
                ),
            ),
        )
        yield f"{file}: a shape of 2^62", _file(file, _header(lambda h: next(iter(h.values())).update(shape=[2**62])))
        yield (
            f"{file}: a type of its own",
            _file(file, _header(lambda h: next(iter(h.values())).update(dtype="F8_E4M3"))),
        )
        yield (
            f"{file}: a name twice",
            _file(
                file,
                _header(
                    lambda h: json.dumps(h).encode().replace(b"{", b'{"__metadata__": {}, "__metadata__": {}, ', 1)
                ),
            ),
        )
        yield (
            f"{file}: a million names",
            _file(
                file,
                _header(
                    lambda h: h.update(
                        {f"n{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(10**5)}
                    )
                ),
            ),
        )
    yield "card: no text", _file("MODEL_CARD.md", lambda _: b"\xff\xfe")
    yield "card: 10 MB", _file("MODEL_CARD.md", lambda _: b"#" * 10_000_000)


def forgeries(honest: Contents) -> Iterator[tuple[str, Contents]]:
    """Every kind with the files of its bundle, made of those of an honest one with linear heads and evidence."""
    for part in (_documents, _heads, _references, _containers):
        for kind, forge in part():
            yield kind, forge(honest)
    d = int(json.loads(honest["bundle.json"])["n_features"])
    # the forged networks answer under this name, so that none is refused for want of it
    honest = _set("features", "output")(honest)
    for kind, build in BUILT.items():
        yield f"network: {kind}", honest | {"model.onnx": build(d).SerializeToString()}
    for kind, raw in raw_networks(d):
        yield f"network: {kind}", honest | {"model.onnx": raw}
