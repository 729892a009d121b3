"""timm's names, its hub and weight files (extra `torch`): what every timm model needs, for features or fine-tuning."""

import contextlib
import difflib
import hashlib
import os
import re
import socket
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graticule.errors import DAMAGED, BackboneError
from graticule.files import check_regular
from graticule.networks.backbones import EMBEDDED

# what torch's reader raises on damaged bytes
_DAMAGED = (*DAMAGED, OSError, RuntimeError, EOFError, struct.error, AssertionError)
# where training programs put the weights inside their files, averaged ones first
_NESTED = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model_state", "model", "network", "net")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def checked_timm(name: str) -> None:
    """Make sure that torch and timm are there and that timm knows a name.

    Raises
    ------
    BackboneError
        With the install command, or with the names nearest to an unknown one.
    """
    try:
        import timm
        import torch  # noqa: F401
    except ImportError as error:
        raise BackboneError(
            f"backbone {name!r} needs torch and timm (embedded for frozen features without: {', '.join(EMBEDDED)}). "
            f"They come with the extra: pip install 'graticule[torch]' ({error.name} is missing)"
        ) from error
    if not timm.is_model(name):
        known = [*EMBEDDED, *timm.list_models()]
        close = difflib.get_close_matches(name.lower(), known, n=5, cutoff=0.6) or timm.list_models(f"*{name}*")[:5]
        hint = f" Nearest: {', '.join(close)}." if close else ""
        raise BackboneError(f"timm knows no model {name!r}.{hint} Embedded: {', '.join(EMBEDDED)}")
    tag, tags = name.partition(".")[2], timm.list_pretrained(f"{name.partition('.')[0]}.*")
    if tag and name not in tags:
        raise BackboneError(f"timm knows no weights {tag!r} of {name.partition('.')[0]}. Known: {', '.join(tags)}")


def timm_config(name: str) -> dict[str, Any]:
    """timm's description of a model's weights: input size, normalisation, licence.

    Raises
    ------
    BackboneError
        See `checked_timm`.
    """
    checked_timm(name)
    import timm

    config = timm.get_pretrained_cfg(name)
    if config is None:
        raise BackboneError(f"timm does not say what input {name} was made for; choose another backbone")
    described: dict[str, Any] = config.to_dict()
    return described


def hub_model(name: str, **options: Any) -> Any:
    """A timm model with its pretrained weights, from timm's hub or the hub's cache on this machine.

    Raises
    ------
    BackboneError
        When they cannot be had; the message says which file to get and where to name it.
    """
    import timm

    config = timm.get_pretrained_cfg(name)
    embedded = ", ".join(EMBEDDED)
    if config is None or not config.has_weights:
        raise BackboneError(
            f"timm offers no pretrained weights of {name}. Name a file with --weights FILE, use an embedded backbone "
            f"({embedded}), or --weights none to train from random weights"
        )
    where = f"https://huggingface.co/{config.hf_hub_id}" if config.hf_hub_id else config.url
    try:
        with _offline_if_unreachable():
            return timm.create_model(name, pretrained=True, **options)
    except (OSError, RuntimeError, _transport_error()) as error:
        raise BackboneError(
            f"the pretrained weights of {name} cannot be downloaded here ({type(error).__name__}). Where there is a "
            f"network, get model.safetensors (or the .pth file) from {where}, put it on this machine and name it with "
            f"--weights FILE; or use an embedded backbone ({embedded}), or --weights none for random weights"
        ) from error


@contextlib.contextmanager
def _offline_if_unreachable() -> Iterator[None]:
    """Without a network the hub's client takes what its cache holds at once, instead of retrying for a minute."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    host = constants.ENDPOINT.rpartition("//")[2].partition("/")[0].partition(":")[0]
    # a proxy resolves names itself
    if not any(name.lower() in ("https_proxy", "all_proxy") for name in os.environ):
        try:
            socket.getaddrinfo(host, 443)
        except OSError:
            constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _transport_error() -> type[Exception]:
    """What the hub's client raises when a transfer breaks off."""
    from huggingface_hub import errors

    found: type[Exception] = getattr(errors, "HTTPError", OSError)
    return found


def read_state(file: Path) -> dict[str, Any]:
    """The tensors of a weight file, .safetensors or one that torch wrote, by name.

    Pickles are read with torch's own `weights_only=True`, which resolves tensors only. A dictionary inside
    ("state_dict", "model" and their averaged variants) is opened.

    Raises
    ------
    BackboneError
        When there is no such file, or it is damaged or holds anything but tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    # torch does not name this error itself
    unpickling = torch.serialization.pickle.UnpicklingError
    try:
        check_regular(file)
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about pickle protocols and storages of old files
                state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BackboneError(f"the weights {file} do not exist") from error
    except (*_DAMAGED, SafetensorError, unpickling) as error:
        raise BackboneError(
            f"the weights {file} cannot be read; expected are a .safetensors file or one that torch.save wrote with "
            f"tensors only, as torch.save(model.state_dict(), FILE) does: {first_line(error)}"
        ) from error
    for key in _NESTED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
            break
    tensors = {str(k): v for k, v in state.items() if isinstance(v, torch.Tensor)} if isinstance(state, dict) else {}
    if not tensors:
        raise BackboneError(f"the weights {file} hold no tensors by name")
    return tensors


def first_line(error: BaseException) -> str:
    """The first line of an error's text without the colours that torch puts into it, or its kind."""
    lines = [line for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def state_hash(state: Mapping[str, Any]) -> str:
    """sha256 over the names and values of all weights."""
    h = hashlib.sha256()
    for key, value in sorted(state.items()):
        h.update(key.encode())
        h.update(value.contiguous().numpy().tobytes())
    return h.hexdigest()
