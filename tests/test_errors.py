"""The tree of errors: one base, no overlap, messages that survive a process border."""

import inspect
import pickle

import pytest

from graticule import errors
from graticule.errors import FileError, GraticuleError, ImageError

CLASSES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, Exception) and value.__module__ == errors.__name__
]


def test_every_error_is_a_child_of_the_base_and_drawn_in_the_tree() -> None:
    assert len(CLASSES) > 5
    for error in CLASSES:
        assert issubclass(error, GraticuleError)
        # to the many handlers of OSError, a file that is refused is one that cannot be read
        assert len(error.__bases__) == 1 or (error.__bases__ == (GraticuleError, OSError) and error is FileError)
        assert error.__name__ in (errors.__doc__ or "")
        assert error.__doc__


@pytest.mark.parametrize("error", [c for c in CLASSES if c not in (ImageError, FileError)])
def test_errors_carry_their_message_over_a_process_border(error: type[GraticuleError]) -> None:
    again = pickle.loads(pickle.dumps(error("asked for 3, allowed are 1, 2")))
    assert type(again) is error
    assert str(again) == "asked for 3, allowed are 1, 2"


def test_no_error_hides_a_builtin_one() -> None:
    hiding = {error for error in CLASSES if issubclass(error, OSError | ValueError | TypeError | LookupError)}
    assert hiding == {FileError}
