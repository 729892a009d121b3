"""How deep the values of a file are, told by its first tags alone: files of 8 bits need no look at their values.

Nothing is decoded, and what a header says is only a hint: `""` means that the file must be looked at.
"""

import struct
from pathlib import Path

from graticule.errors import FileError
from graticule.files import open_regular
from graticule.formats.catalogue import told_format
from graticule.formats.format import EIGHT_BITS

_HEAD_BYTES = 160


def told_depth(file: Path) -> str:
    """ "8 bit" where the header says so, a stable name of another depth such as "TIFF 16 1", or "" where it is silent.

    Never raises for what is in the file: a file that cannot be opened or is cut off is told when it is read.
    """
    try:
        with open_regular(file) as stream:
            head = stream.read(_HEAD_BYTES)
            found = told_format(head, file.suffix.lower())
            return "" if found is None else found.depth(stream, head)
    except (FileError, FileNotFoundError, PermissionError):  # no file to look at: told when it is read
        return EIGHT_BITS
    except (OSError, ValueError, LookupError, struct.error):  # gone, cut off, or offsets that lead nowhere
        return ""
