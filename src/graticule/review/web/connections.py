"""Connections to the review server: a request that does not arrive in time ends, and nobody holds all of them."""

import asyncio
import ipaddress
from collections.abc import Sequence

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
MAX_CONNECTIONS = 512
MAX_PER_ADDRESS = 64


def bounded_protocol(
    proxies: Sequence[str] = (), *, seconds: float = REQUEST_SECONDS, most: int = MAX_CONNECTIONS
) -> type[asyncio.Protocol]:
    """HTTP as uvicorn speaks it, with an end to waiting.

    Parameters
    ----------
    proxies : sequence of str
        Addresses whose connections are those of many people; like this machine's own they are counted in the sum alone.
    seconds : float
        A request that is not whole by then, from its first byte or from the connection on, is cut off; > 0.
    most : int
        Open connections at a time, at least 1; one address may hold `MAX_PER_ADDRESS`. One more is closed at once.
    """

    class Bounded(H11Protocol):
        """One connection."""

        _overdue: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most or self._of_its_address() > MAX_PER_ADDRESS:
                self.connections.discard(self)
                transport.abort()
                return
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._overdue is not None:
                self._overdue.cancel()
            super().connection_lost(exc)

        def _watch(self) -> None:
            """Start the clock with the first part of a request; more parts do not turn it back."""
            if not self._half_sent():
                if self._overdue is not None:
                    self._overdue.cancel()
                    self._overdue = None
            elif self._overdue is None:
                self._overdue = self.loop.call_later(seconds, self.transport.abort)

        def _half_sent(self) -> bool:
            cycle = self.cycle
            # no request yet; a body that goes on; the beginning of the next request
            return cycle is None or cycle.more_body or (cycle.response_complete and bool(self.conn.trailing_data[0]))

        def _of_its_address(self) -> int:
            address = self.client[0] if self.client else ""
            if address in proxies or _is_own(address):
                return 0
            others = (getattr(other, "client", None) for other in self.connections)
            return sum(client is not None and client[0] == address for client in others)

    return Bounded


def _is_own(address: str) -> bool:
    """Whether an address is this machine's, or no address at all."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True
