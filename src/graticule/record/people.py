"""Names of persons on the record."""

import getpass

from graticule.errors import OptionError
from graticule.names import name_key

# who writes what the program does of itself; no person may take the name
PROGRAM = "graticule"


def is_program(name: str) -> bool:
    """Whether a name is the program's own or would be read as it."""
    return name_key(name) == PROGRAM


def check_person(name: str, option: str = "--user") -> None:
    """Raise OptionError when a person takes the program's name."""
    if is_program(name):
        raise OptionError(f"{option} {name!a} is the name under which the program itself writes: give your own")


def login_name() -> str:
    """The name of this account, "" where the system has none or it is the program's: then a person must say who."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without an account, as in containers; Windows without USERNAME
        return ""
    return "" if is_program(name) else name
