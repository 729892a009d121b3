"""Electronic signatures: who signed which batch, when, with what meaning, bound to the chain of events.

A signature is an event, so it cannot be altered or moved without breaking the chain, and it names the head at its time:
everything before it is what was signed. It records the name that the program was given. It is no cryptographic proof of
a person's identity; a site that needs one must control who can reach the program under which name.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graticule.errors import LabelStoreError
from graticule.record.events import Event, EventDraft
from graticule.record.store import LabelStore


@dataclass(frozen=True)
class Signature:
    """A signature as it stands in the record.

    Attributes
    ----------
    who, time, meaning : str
        Name, time (UTC), and what the signature means, such as "reviewed" or "approved".
    batch : str
        Name of the batch.
    n_images : int
        How many images the batch has.
    images_sha256 : str
        SHA-256 over the images' hashes, sorted, each followed by a line feed.
    signed_seq : int
        Number of the last event that the signature covers.
    signed_head : str
        That event's hash.
    seq : int
        Number of the signature's own event.
    head : str
        Its hash: noted elsewhere, it proves the chain up to the signature.
    """

    who: str
    time: str
    meaning: str
    batch: str
    n_images: int
    images_sha256: str
    signed_seq: int
    signed_head: str
    seq: int
    head: str

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def images_digest(images: Iterable[str]) -> tuple[int, str]:
    """Number of different images and the digest that a signature holds of them."""
    different = sorted(set(images))
    return len(different), hashlib.sha256("".join(f"{image}\n" for image in different).encode()).hexdigest()


def sign(store: LabelStore, who: str, meaning: str, *, batch: str, images: Sequence[str]) -> Signature:
    """Sign the decisions on a batch of images. The chain is verified first: a broken record is not signed.

    Parameters
    ----------
    store : LabelStore
    who, meaning, batch : str
        As in `Signature`.
    images : sequence of str
        SHA-256 of each image; each must have a decision that stands.

    Raises
    ------
    LabelStoreError
        When there is nothing to sign, an image has no decision, or the chain is not sound.
    """
    if not images or not batch.strip():
        raise LabelStoreError("a signature needs a batch with a name and at least one image")
    undecided = [image for image in dict.fromkeys(images) if not _decided(store, image)]
    if undecided:
        raise LabelStoreError(
            f"batch {batch!r} cannot be signed: {len(undecided):,} of {len(set(images)):,} images have no decision, "
            f"first {undecided[0]}"
        )
    found = store.verify()
    if not found.sound:
        raise LabelStoreError(f"the batch {batch!r} cannot be signed: {found.problem}")
    n_images, digest = images_digest(images)
    signed = json.dumps(
        {"batch": batch, "n_images": n_images, "images_sha256": digest}, ensure_ascii=False, sort_keys=True
    )
    event = store.append(EventDraft(who, "sign", new_value=signed, reason=meaning))
    return signature_of(event)


def _decided(store: LabelStore, image: str) -> bool:
    state = store.state_of(image)
    return bool(state.verdicts or state.decisions())


def signature_of(event: Event) -> Signature:
    """The signature that an event of action "sign" holds.

    Raises
    ------
    LabelStoreError
        When it holds none.
    """
    try:
        signed = json.loads(event.new_value or "")
        batch, n_images, digest = str(signed["batch"]), int(signed["n_images"]), str(signed["images_sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise LabelStoreError(f"event {event.seq} holds no signature that this version can read") from error
    return Signature(
        who=event.who,
        time=event.time,
        meaning=event.reason or "",
        batch=batch,
        n_images=n_images,
        images_sha256=digest,
        signed_seq=event.seq - 1,
        signed_head=event.prev_hash,
        seq=event.seq,
        head=event.hash,
    )


def signatures(events: Iterable[Event]) -> list[Signature]:
    """All signatures among events, oldest first."""
    return [signature_of(event) for event in events if event.action == "sign"]
