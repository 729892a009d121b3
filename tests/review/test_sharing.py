"""How a review can be reached: what cannot be used is refused, and what others reach has a password."""

from __future__ import annotations

import pytest

from graticule.errors import OptionError
from graticule.review.sharing import MIN_PASSWORD, Sharing, listen_for


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_alone_needs_no_password(host: str) -> None:
    assert not Sharing(host).shared
    assert Sharing(host).guarded().password is None


@pytest.mark.parametrize("sharing", [Sharing("0.0.0.0"), Sharing("lab.example.org"), Sharing(names=("a.example.org",))])
def test_what_others_reach_gets_a_password(sharing: Sharing) -> None:
    assert sharing.shared
    password = sharing.guarded().password
    assert password is not None
    assert len(password) >= MIN_PASSWORD
    with pytest.raises(OptionError, match="without a password"):
        listen_for(sharing)


@pytest.mark.parametrize(
    ("sharing", "message"),
    [
        (Sharing(names=("https://a.example.org",)), "--name"),
        (Sharing(proxies=("nowhere",)), "--proxy"),
        (Sharing(password="short"), "GRATICULE_PASSWORD"),
    ],
)
def test_what_cannot_be_used_is_refused(sharing: Sharing, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sharing.check()
