"""`graticule review`: a review of predictions or of a run, with or without its web page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graticule.bundle import Bundle
from graticule.errors import GraticuleError
from graticule.images.pool import answer_of
from graticule.images.shown import shown_as_model_reads
from graticule.jobs.options import ReviewOptions
from graticule.manifest import bundled_path, unescape_path
from graticule.progress import Reporter, Silent
from graticule.record.people import check_person
from graticule.record.store import LabelStore
from graticule.regress.target import target_named
from graticule.review.desk import Desk
from graticule.review.gathering import Subject
from graticule.review.items import control_size, draw_control, in_order
from graticule.review.pictures import ReviewPictures
from graticule.review.sight import Settings
from graticule.review.subject import read_subject
from graticule.runs import cache_folder
from graticule.synthesis.blind import is_blind_test
from graticule.workers.pool import WorkerPool, available_cores

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from graticule.review.web.app import Listening

_WORKERS = 2


@dataclass(frozen=True)
class Review:
    """A review that is open. A context manager: its end closes the label store and ends the workers.

    Attributes
    ----------
    desk : Desk
        The queue, and what persons do.
    pictures : ReviewPictures
    subject : Subject
    pool : WorkerPool
        Reads the images; its processes start with the first one.
    """

    desk: Desk
    pictures: ReviewPictures
    subject: Subject
    pool: WorkerPool

    def __enter__(self) -> Review:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()
        self.desk.store.close()

    def app(self, listening: Listening, user: str = "") -> ASGIApp:
        """The web page as an ASGI application."""
        check_person(user)
        from graticule.review.web.app import create_app
        from graticule.review.web.context import Nearest

        training = self.subject.training
        labels = [] if training is None else training.answers.tolist()
        if (quantity := self.subject.items.quantity) is not None:
            labels = [f"{number} {quantity.unit}".rstrip() for number in labels]
        paths = [] if training is None else training.path.tolist()
        number = {bundled_path(path): i for i, path in enumerate(paths)}
        nearest = Nearest(number, labels, _comparison(self.subject, self.pool))
        return create_app(self.desk, self.pictures, nearest, listening.gate, user)


def open_review(
    source: Path, labels: str, options: ReviewOptions | None = None, reporter: Reporter | None = None
) -> Review:
    """Read what is to be reviewed, draw the control sample, and open the label store.

    Parameters
    ----------
    source : Path
        A folder of `predict`, a finished run, a blind test of generated images, or with `target` a data set.
    labels : str
        The label store, see `LabelStore.open`.
    options : ReviewOptions, optional
    reporter : Reporter, optional
    """
    options = options or ReviewOptions()
    options.check()
    reporter = reporter or Silent()
    subject = read_subject(source, reporter, target_named(options), options.root)
    for note in subject.notes:
        reporter.note(note)
    items = subject.items
    size = control_size(items) if options.control is None else options.control
    items = replace(items, sampling_prob=draw_control(items, size, options.seed))
    subject = replace(subject, items=in_order(items, options.order, options.seed))
    pool = WorkerPool(min(_WORKERS, available_cores()))
    pictures = _pictures(subject, pool)
    settings = Settings(
        options.blind or is_blind_test(source),
        options.double,
        subject.source,
        subject.model_hash,
        subject.run_hash,
        options.tolerance,
    )
    store = _store(labels, subject)
    return Review(Desk(subject.items, store, settings, pictures.is_changed), pictures, subject, pool)


def _store(labels: str, subject: Subject) -> LabelStore:
    """The label store, which must be about what the subject is."""
    store = LabelStore.open(labels)
    try:
        store.check_holds(subject.items.quantity)
    except GraticuleError:
        store.close()
        raise
    return store


def _pictures(subject: Subject, pool: WorkerPool) -> ReviewPictures:
    files = [subject.root / unescape_path(path) for path in subject.items.path]
    training = [] if subject.training is None else subject.training.files()
    explain = None if subject.bundle is None else _explainer(subject.bundle, pool)
    read = partial(answer_of, pool, partial(shown_as_model_reads, preprocessing=subject.preprocessing))
    cache = cache_folder() / "review" / hashlib.sha256(subject.preprocessing.key().encode()).hexdigest()[:16]
    return ReviewPictures(files, subject.items.sha256.tolist(), training, read, cache, explain)


def _explainer(bundle: Bundle, pool: WorkerPool) -> Callable[[Path, str], NDArray[np.uint8] | None] | None:
    """Maps of evidence by this model, made when first asked for; None where they could not be laid over the image."""
    from graticule.review.maps import Explainer

    if Explainer.possible(bundle):
        return Explainer(bundle, pool)
    return None


def _comparison(subject: Subject, pool: WorkerPool) -> Callable[[Path, str, Sequence[str]], list[list[str]]] | None:
    """Nearest training images class by class; None where the bundle or the training images are not at hand."""
    from graticule.review.nearest import NearestOfClasses, groups_of

    bundle, training = subject.bundle, subject.training
    if bundle is None or training is None or not NearestOfClasses.possible(bundle):
        return None
    groups = None if training.group is None else training.group.tolist()
    own = groups_of(training.path.tolist(), groups) if subject.of_training else None
    return NearestOfClasses(bundle, pool, own)
