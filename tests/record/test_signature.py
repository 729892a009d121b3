"""Signatures bind the chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.label_store import drop_guards, run_statements

from graticule.errors import LabelStoreError
from graticule.record.events import EventDraft
from graticule.record.signature import images_digest, sign, signatures
from graticule.record.store import LabelStore
from graticule.record.trail import ChainEnd

Make = Callable[..., EventDraft]

Image = Callable[[int], str]


def test_signatures_bind_the_chain(store: LabelStore, draft: Make, image: Image) -> None:
    store.append_all([draft(i) for i in range(3)])
    before = store.head()
    images = [image(i) for i in range(3)]
    signature = sign(store, "Dr. Ann Example", "reviewed", batch="lot 7", images=[*images, images[0]])
    assert (signature.signed_seq, signature.signed_head) == (before.seq, before.hash)
    assert (signature.n_images, signature.images_sha256) == images_digest(images)
    store.append(draft(3))
    assert signatures(store.events()) == [signature]
    assert store.verify(ChainEnd(signature.seq, signature.head)).proven == 4
    with pytest.raises(LabelStoreError, match="1 of 1 images have no decision"):
        sign(store, "ann", "reviewed", batch="lot 8", images=[image(99)])
    with pytest.raises(LabelStoreError, match="sign needs a reason"):
        sign(store, "ann", " ", batch="lot 8", images=images)
    drop_guards(store)
    run_statements(store, "UPDATE label_events SET new_value = 'b' WHERE seq = 2")
    with pytest.raises(LabelStoreError, match="cannot be signed: event 2 was edited"):
        sign(store, "ann", "reviewed", batch="lot 8", images=images)
