"""A training state on disk: tensors and plain values, whole or not at all, checked before it is used.

The file holds 32 bytes (the SHA-256 of the rest), then safetensors bytes whose metadata carry the plain values as JSON.
No pickle is written or read.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from graticule.errors import TrainingError
from graticule.files import read_regular, writing

Tensors = dict[str, torch.Tensor]
_DIGEST = 32
CHECKPOINT_BYTES = 2**36


def write_checkpoint(file: Path, tensors: Tensors, values: dict[str, Any]) -> None:
    """Write a checkpoint so that `file` is the old one or the new one, whatever happens meanwhile.

    Parameters
    ----------
    file : Path
    tensors : dict of tensors, on any device
    values : dict
        Plain values; numbers keep all their digits.
    """
    cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = save(cpu, metadata={"values": json.dumps(values)})
    with writing(file) as stream:
        stream.write(hashlib.sha256(content).digest())
        stream.write(content)


def read_checkpoint(file: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read a checkpoint back.

    Raises
    ------
    TrainingError
        When it is truncated or altered.
    """
    data = read_regular(file, CHECKPOINT_BYTES)
    digest, content = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise TrainingError(
            f"the checkpoint {file} is truncated or was altered. Remove it to train that fold from its beginning, then "
            "repeat the command with --resume"
        )
    try:
        length = int.from_bytes(content[:8], "little")
        values = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["values"])
        return load(content), values
    except (KeyError, ValueError, SafetensorError) as error:
        raise TrainingError(f"the checkpoint {file} is none of this program: {error}") from error
