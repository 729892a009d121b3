"""What is read from a label store: rows, events, persons, the head of the chain, and whether all of it holds."""

from collections.abc import Iterator

from sqlalchemy import Engine, RowMapping, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from graticule.errors import LabelStoreError
from graticule.record import schema
from graticule.record.appending import events_of, last_head
from graticule.record.current import ImageState, image_states
from graticule.record.engine import (
    StorePlace,
    cause,
    is_locked,
    locked,
    reading,
    told,
)
from graticule.record.events import DOUBTFUL, NOVEL, WITH_CLASS, Event
from graticule.record.numbers import Quantity, check_quantity, number_said, quantity_of
from graticule.record.schema import label_events
from graticule.record.trail import START, ChainEnd, Verification, verify_chain

_FETCHED = 500


class StoredEvents:
    """The events in the database of a label store. May be used by several threads and processes at once."""

    def __init__(self, place: StorePlace, engine: Engine) -> None:
        self._place = place
        self._engine = engine

    @property
    def shown(self) -> str:
        """Where the store is, without a password."""
        return self._place.shown

    def rows(self, *, after: int = 0, up_to: int | None = None) -> Iterator[RowMapping]:
        """Rows of the table by ascending number, as they stand, from one moment; memory does not grow with them.

        Parameters
        ----------
        after, up_to : int
            Number of the event before the first wanted, and of the last.
        """
        wanted = select(label_events).where(label_events.c.seq > after).order_by(label_events.c.seq)
        if up_to is not None:
            wanted = wanted.where(label_events.c.seq <= up_to)
        with told(self._place), reading(self._engine) as connection:
            yield from connection.execution_options(yield_per=_FETCHED).execute(wanted).mappings()

    def events(self, *, after: int = 0, up_to: int | None = None) -> Iterator[Event]:
        """Events by ascending number. They are not verified here."""
        return (Event.of(row) for row in self.rows(after=after, up_to=up_to))

    def search(
        self, *, who: str = "", action: str = "", image: str = "", before: int | None = None, limit: int = 100
    ) -> tuple[list[Event], int]:
        """Events that match, the newest first, and how many there are in all.

        Parameters
        ----------
        who, action : str
            "" for any.
        image : str
            First digits of the image's hash, or a part of its path; "" for any.
        before : int, optional
            Only events with a lower number; they do not count into the total.
        limit : int
            Most events returned.
        """
        events = label_events.c
        conditions = [column == value for column, value in ((events.who, who), (events.action, action)) if value]
        if image:
            conditions.append(
                or_(
                    events.image_sha256.startswith(image, autoescape=True), events.path.contains(image, autoescape=True)
                )
            )
        page = [] if before is None else [events.seq < before]
        wanted = select(label_events).where(*conditions, *page).order_by(events.seq.desc()).limit(limit)
        with told(self._place), reading(self._engine) as connection:
            total = connection.execute(select(func.count()).select_from(label_events).where(*conditions)).scalar_one()
            return [Event.of(row) for row in connection.execute(wanted).mappings()], int(total)

    def people(self) -> list[str]:
        """Everyone who wrote an event, by name."""
        with told(self._place), reading(self._engine) as connection:
            return sorted(connection.execute(select(label_events.c.who).distinct()).scalars())

    def classes(self) -> list[str]:
        """Every class that an event named, also one that was taken back."""
        return sorted(name for name in self._named() if number_said(name) is None)

    def check_holds(self, quantity: Quantity | None) -> None:
        """Raise unless the record holds nothing but what is wanted: numbers of a quantity, or classes (None).

        Raises
        ------
        LabelStoreError
        OptionError
            When the quantity has a name that an export needs for something else.
        """
        if quantity is not None:
            check_quantity(quantity)
        named = self._named()
        if not named:
            return
        there = quantity_of(named)
        if there != quantity:
            known = f"numbers of {there}" if there else "classes"
            asked = f"numbers of {quantity}" if quantity else "classes"
            raise LabelStoreError(
                f"the label store {self.shown} holds {known}, and this is about {asked}: name another --labels"
            )

    def _named(self) -> set[str]:
        """Every class and number that an event named."""
        named = select(label_events.c.new_value).where(label_events.c.action.in_(WITH_CLASS)).distinct()
        with told(self._place), reading(self._engine) as connection:
            return {value for value in connection.execute(named).scalars() if value not in (None, DOUBTFUL, NOVEL)}

    def events_of(self, image_sha256: str) -> list[Event]:
        """The events of one image, by ascending number."""
        with told(self._place), reading(self._engine) as connection:
            return events_of(connection, image_sha256)

    def known(self, client_id: str) -> Event | None:
        """The event stored under a client id."""
        wanted = select(label_events).where(label_events.c.client_id == client_id)
        with told(self._place), reading(self._engine) as connection:
            row = connection.execute(wanted).mappings().first()
        return None if row is None else Event.of(row)

    def state_of(self, image_sha256: str) -> ImageState:
        """The decisions on one image that were not undone."""
        return image_states(self.events_of(image_sha256)).get(image_sha256, ImageState())

    def head(self) -> ChainEnd:
        """Number and hash of the last event; 0 and 64 zeros for an empty store."""
        with told(self._place), reading(self._engine) as connection:
            return last_head(connection)

    def verify(self, head: ChainEnd | None = None) -> Verification:
        """Walk the whole chain, in constant memory; see `graticule.record.trail.verify_chain`."""
        passed = 0

        def counted() -> Iterator[RowMapping]:
            nonlocal passed
            with reading(self._engine) as connection:
                wanted = select(label_events).order_by(label_events.c.seq)
                for row in connection.execution_options(yield_per=_FETCHED).execute(wanted).mappings():
                    yield row
                    passed += 1

        try:
            return verify_chain(counted(), head)
        except SQLAlchemyError as error:
            if is_locked(error):
                raise locked(self._place) from error
            problem = f"the database cannot be read from event {passed + 1} on, or one soon after: {cause(error)}"
            return Verification(passed, ChainEnd(passed, START), passed + 1, problem, head)

    def missing_guards(self) -> tuple[str, ...]:
        """Names of the triggers against changes that are missing, switched off or altered."""
        with told(self._place), reading(self._engine) as connection:
            return schema.missing_guards(connection)

    def foreign_rules(self) -> tuple[str, ...]:
        """Triggers, rules and row policies on the tables that are not ours, each by kind and name."""
        with told(self._place), reading(self._engine) as connection:
            return schema.foreign_rules(connection)
