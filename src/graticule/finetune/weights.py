"""The weights that fine-tuning starts from: embedded, from a file, from timm's hub, or random; with their licence."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graticule.errors import BackboneError
from graticule.files import sha256_file
from graticule.networks.backbones import BackboneSpec, find_embedded, verified_weights
from graticule.networks.timm_hub import hub_model, read_state, state_hash, timm_config
from graticule.networks.torch_pickle import read_tensors

# what training programs put before the names of a network's tensors
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "trunk.")
_CLASSIFIERS = ("fc", "head", "head.fc", "classifier", "last_linear", "classif")
_AUXILIARY = ("AuxLogits", "aux_logits", "aux_classifier")

_COUNTER = "num_batches_tracked"  # of batch normalisation; old files lack it, and prediction does not use it

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Origin:
    """Where a network's first weights came from.

    Attributes
    ----------
    sha256 : str
        Of the file; of names and values where there is no file.
    licence, source : str
        SPDX licence as far as it is known, and the origin for people.
    notes : tuple of str
        What was left out or changed.
    """

    sha256: str
    licence: str
    source: str
    notes: tuple[str, ...] = ()


def bare_trunk(name: str, *, initialised: bool = True) -> Any:
    """The model without classifier.

    VGG's two fully connected layers (102 + 17 million weights) are left out: its maps are averaged over space and go
    straight into the classifier, as is usual in transfer learning (Simonyan and Zisserman 2015 for the network; Lin et
    al. 2014, "Network in network", for the pooling).

    Parameters
    ----------
    name : str
        timm's name.
    initialised : bool
        Random weights; False leaves them undefined where that saves their drawing, for a state that replaces them all.
    """
    import timm

    vgg = timm.models.is_model_in_modules(name, ["vgg"])
    if torch.get_default_device().type == "meta" or (initialised and not vgg):
        trunk = timm.create_model(name, num_classes=0)
    else:
        with torch.device("meta"):
            trunk = timm.create_model(name, num_classes=0)
    if vgg:
        trunk.pre_logits = torch.nn.Identity()
    if torch.get_default_device().type == "meta" or not any(value.is_meta for value in trunk.state_dict().values()):
        return trunk
    if {key for key, _ in trunk.named_buffers()} - set(trunk.state_dict()):
        # tables that no weight file holds, such as window masks, are computed when the model is made
        return timm.create_model(name, num_classes=0)
    trunk.to_empty(device="cpu")
    for module in trunk.modules():
        if isinstance(module, torch.nn.modules.batchnorm._NormBase):
            module.reset_running_stats()
    if initialised:
        trunk._initialize_weights()
    return trunk


def loaded_trunk(name: str, weights: str | None) -> tuple[Any, Origin]:
    """A trunk (timm's name) with its weights, see `build_network`.

    Raises
    ------
    BackboneError
        When the weights cannot be had or do not fit.
    """
    embedded = find_embedded(name)
    if weights == "none":
        trunk = bare_trunk(name)
        source = "random numbers (--weights none)"
        return trunk, Origin(state_hash(trunk.state_dict()), "none: not pretrained", source)
    if weights is not None:
        return _from_file(name, Path(weights))
    if embedded is not None:
        return _embedded(embedded)
    trunk = _without_layers(hub_model(name, num_classes=0), name)
    config = timm_config(name)
    return trunk, Origin(
        state_hash(trunk.state_dict()),
        str(config.get("license") or "not stated"),
        f"timm's hub, {config.get('hf_hub_id') or config.get('url')}",
        ("the classifier of the pretrained weights was dropped",),
    )


def embedded_state(spec: BackboneSpec, tensors: Mapping[str, Any]) -> State:
    """The tensors of an embedded file under timm's names, classifier included.

    Raises
    ------
    BackboneError
        When a name is not of this architecture.
    """
    layers = spec.builder().timm_layers(spec)
    state = {}
    for name, value in tensors.items():
        layer, _, leaf = name.rpartition(".")
        if layer not in layers:
            raise BackboneError(f"the weights do not fit {spec.name}: it has no tensor {name}")
        tensor = torch.from_numpy(np.array(value))
        state[f"{layers[layer]}.{leaf}"] = tensor.reshape(()) if leaf == _COUNTER else tensor
    return state


def _embedded(spec: BackboneSpec) -> tuple[Any, Origin]:
    trunk = bare_trunk(spec.timm_name, initialised=False)
    notes = _fit(trunk, embedded_state(spec, read_tensors(verified_weights(spec))), spec.timm_name, spec.file)
    return trunk, Origin(spec.sha256, spec.licence, f"package {spec.package}", notes)


def _from_file(name: str, file: Path) -> tuple[Any, Origin]:
    trunk = bare_trunk(name, initialised=False)
    notes = _fit(trunk, read_state(file), name, str(file))
    licence = timm_config(name).get("license") or "not stated"
    return trunk, Origin(
        sha256_file(file),
        f"not stated by the file (timm's own weights of {name}: {licence})",
        f"file {file.name}",
        notes,
    )


def _fit(trunk: Any, state: State, name: str, file: str) -> tuple[str, ...]:
    """Load a state into a trunk; says what was dropped."""
    expected = trunk.state_dict()
    state = _renamed(state, expected)
    if not _fits(state, expected):
        state = _renamed(_converted(state, trunk), expected)
    extra = {key: value for key, value in state.items() if key not in expected}
    dropped, notes = _dropped(extra, name)
    foreign = sorted(set(extra) - dropped)
    missing = sorted(key for key in set(expected) - set(state) if not key.endswith(_COUNTER))
    misshapen = sorted(k for k in set(expected) & set(state) if state[k].shape != expected[k].shape)
    if missing or misshapen or foreign:
        raise BackboneError(
            f"the weights {file} do not fit {name}: of its {len(expected)} tensors {len(missing)} are missing and "
            f"{len(misshapen)} have another shape, and {len(foreign)} tensors of the file belong to another network; "
            f"for example {_example(missing, misshapen, foreign, state, expected)}. Give the file of {name}, or name "
            "the file's network with --backbone"
        )
    spoiled = [key for key in expected if key in state and not bool(torch.isfinite(state[key]).all())]
    if spoiled:
        raise BackboneError(
            f"the weights {file} hold numbers that are not finite in {len(spoiled)} tensors, for example "
            f"{spoiled[0]}: the training that wrote them failed, or the file is damaged"
        )
    trunk.load_state_dict({key: value for key, value in state.items() if key in expected}, strict=False)
    return notes


def _renamed(state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> State:
    """The state without the prefixes that training programs add."""
    renamed = {}
    for key, value in state.items():
        short = key
        while short not in expected and short.startswith(_PREFIXES):
            short = short.partition(".")[2]
        renamed[short] = value
    return renamed


def _fits(state: State, expected: Mapping[str, torch.Tensor]) -> bool:
    return all(key in state or key.endswith(_COUNTER) for key in expected)


def _converted(state: State, trunk: Any) -> State:
    """The state under timm's names, when timm knows how the architecture's authors named them."""
    convert = getattr(sys.modules[type(trunk).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return state
    try:
        converted = convert(dict(state), trunk)
    except (KeyError, IndexError, AttributeError, TypeError, ValueError, RuntimeError, AssertionError):
        return state  # a file of another network; `_fit` says so
    return {key: value for key, value in converted.items() if isinstance(value, torch.Tensor)}


def _dropped(extra: Mapping[str, torch.Tensor], name: str) -> tuple[set[str], tuple[str, ...]]:
    """Which tensors beyond the trunk's are a classifier's and may go, and what to say about it."""
    config = timm_config(name).get("classifier") or ()
    named = {config} if isinstance(config, str) else set(config)
    roots = {layer.partition(".")[0] for layer in (*_CLASSIFIERS, *named)}
    kinds = {
        "the classifier of {classes:,} classes was dropped": {k for k in extra if k.partition(".")[0] in roots},
        "the auxiliary classifier was dropped": {k for k in extra if k.partition(".")[0] in _AUXILIARY},
        "the fully connected layers were dropped": {k for k in extra if k.partition(".")[0] == "pre_logits"},
    }
    notes = []
    for text, keys in kinds.items():
        if keys:
            last = [extra[k] for k in extra if k in keys and extra[k].ndim >= 2]
            notes.append(text.format(classes=len(last[-1]) if last else 0))
    return set().union(*kinds.values()), tuple(notes)


def _example(
    missing: list[str], misshapen: list[str], foreign: list[str], state: State, expected: Mapping[str, torch.Tensor]
) -> str:
    if misshapen:
        key = misshapen[0]
        return f"{key} is {tuple(state[key].shape)} and should be {tuple(expected[key].shape)}"
    return f"{missing[0]} is missing" if missing else f"{foreign[0]} is not part of it"


def _without_layers(trunk: Any, name: str) -> Any:
    """A trunk as `bare_trunk` builds it, with the weights of a whole model."""
    bare = bare_trunk(name, initialised=False)
    keys = bare.state_dict().keys()
    bare.load_state_dict({key: value for key, value in trunk.state_dict().items() if key in keys})
    return bare
