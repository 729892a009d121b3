"""What the page may send, and what an address may ask for; anything else is refused with the reason."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from graticule.record.events import MAX_NAME, MAX_TEXT
from graticule.review.desk import ACTIONS, MAX_BULK, SCOPES

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ClientId = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Name = Annotated[str, Field(max_length=MAX_NAME)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Said(_Body):
    """What a person says. A browser names whom it takes for that person, so that nobody speaks for another."""

    who: Name | None = None


class EventBody(_Said):
    """One decision."""

    client_id: ClientId
    action: Literal[ACTIONS]  # type: ignore[valid-type]
    image: Sha256
    value: Text | None = None
    reason: Text | None = None
    seconds: Annotated[float, Field(ge=0, le=1e7)] | None = None
    blind: bool = True


class BulkImage(_Body):
    """One of many images."""

    id: Sha256
    client_id: ClientId


class BulkBody(_Said):
    """Many images of one class."""

    value: Text
    images: Annotated[list[BulkImage], Field(min_length=1, max_length=MAX_BULK)]


class VerifyBody(_Body):
    """A head noted earlier."""

    head: Name | None = None


class SignBody(_Said):
    """A signature."""

    batch: Name
    meaning: Text
    scope: Literal[SCOPES]  # type: ignore[valid-type]


class Query(BaseModel):
    """Filters in an address."""

    model_config = ConfigDict(populate_by_name=True)

    kind: str = "needed"
    label: Annotated[str, Field(alias="class")] = ""
    group: str = ""
    low: Annotated[float | None, Field(alias="min")] = None
    high: Annotated[float | None, Field(alias="max")] = None
