"""How a review can be reached: host, port, names of a proxy, password."""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graticule.errors import OptionError

if TYPE_CHECKING:
    from graticule.review.web.app import Listening

PORT = 8642
MIN_PASSWORD = 12
_PASSWORD_BYTES = 15  # 20 characters
# what a browser sends as Host: letters, digits, hyphens and dots, or an address, and a port
_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Sharing:
    """How a review can be reached.

    Attributes
    ----------
    host : str
        127.0.0.1 or another address of this machine.
    port : int or None
        None: 8642, or any free one.
    names : tuple of str
        Further names under which it is addressed, those of a proxy: HOST or HOST:PORT.
    proxies : tuple of str
        Addresses or networks of proxies whose forwarded scheme and client address count.
    password : str or None
        Asked for instead of the token in the printed address.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    names: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    password: str | None = None

    def check(self) -> None:
        """Raise OptionError when a name, a proxy or the password cannot be used."""
        for name in self.names:
            if not _NAME.fullmatch(name):
                raise OptionError(
                    f"--name {name!a}: a host name as browsers send it is needed, without scheme and path, such as "
                    "review.example.org or review.example.org:8443"
                )
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise OptionError(
                    f"--proxy {proxy!a}: the address of the proxy as this server sees it is needed, such as 127.0.0.1, "
                    "or a network such as 10.0.0.0/24"
                ) from error
        if self.password is not None and len(self.password) < MIN_PASSWORD:
            raise OptionError(
                f"GRATICULE_PASSWORD has {len(self.password)} characters, at least {MIN_PASSWORD} are needed, since "
                "others can try them; leave it out and one is made"
            )

    @property
    def shared(self) -> bool:
        """Whether others than this machine's users can reach the review."""
        return bool(self.names) or not _is_loopback(self.host)

    def guarded(self) -> Sharing:
        """The same with a random password where others can reach the review and none was given."""
        if self.password is None and self.shared:
            return replace(self, password=secrets.token_urlsafe(_PASSWORD_BYTES))
        return self


def listen_for(sharing: Sharing) -> Listening:
    """Bind the port, on this machine alone unless a password guards it.

    Raises
    ------
    OptionError
        When an option cannot be used, the port is in use, or others could reach the review without a password.
    """
    from graticule.review.web.app import listen

    sharing.check()
    if sharing.shared and sharing.password is None:
        raise OptionError("others could reach this review without a password: use Sharing.guarded, or set one")
    port = PORT if sharing.port is None else sharing.port
    return listen(
        sharing.host,
        port,
        fallback=sharing.port is None,
        password=sharing.password,
        names=sharing.names,
        proxies=sharing.proxies,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
