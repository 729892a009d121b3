"""Every error a user can cause, as one tree.

    GraticuleError            exit code 2: one clear message, no traceback
    ├── OptionError           an option's value is out of range, or options contradict each other
    ├── ManifestError         the folder or table of samples is faulty
    ├── ImageError            one file cannot be read as an image (listed, never fatal to a run)
    ├── FoldError             the cross-validation asked for is impossible on these data
    ├── BackboneError         a network is unknown, or its weights are missing or altered
    ├── TrainingError         a network cannot be trained: loss not finite, memory, a damaged checkpoint
    ├── ExportError           a trained network's ONNX file does not agree with it, or cannot be made
    ├── LabelStoreError       labels cannot be stored or read: faulty or refused
    │   └── LabelDatabaseError  the database fails: full disk, no connection; the same may work later
    ├── BundleError           a model bundle is missing, altered or of another version
    ├── TaskError             a manifest, run or bundle is of a task that this version does not know
    ├── FileError             a path names no regular file, or one that is too large (an OSError as well)
    └── RunError              a run folder exists already, is unfinished or lacks a part

A message says what was asked, what was found, what is allowed and what to do next. Anything else that
escapes is a defect of the program (exit code 1).
"""

# what readers of files raise on damaged bytes, whichever library they are of
DAMAGED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError)


class GraticuleError(Exception):
    """Base of all errors that a user can cause and mend."""


class OptionError(GraticuleError):
    """An option's value is out of range, or two options contradict each other."""


class ManifestError(GraticuleError):
    """The folder or table of samples is faulty; the message lists every fault found."""


class ImageError(GraticuleError):
    """One file cannot be read as an image.

    Parameters
    ----------
    path : str
        The file, as the manifest names it.
    cause : str
        Why it cannot be read, in one line.
    """

    def __init__(self, path: str, cause: str) -> None:
        self.path = path
        self.cause = cause
        super().__init__(f"{path}: {cause}")

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str]]:
        return (ImageError, (self.path, self.cause))


class FoldError(GraticuleError):
    """The cross-validation asked for is impossible on these data."""


class BackboneError(GraticuleError):
    """A network is unknown, or its weights are missing or altered."""


class TrainingError(GraticuleError):
    """A network cannot be trained as asked: loss not finite, too little memory, a damaged checkpoint."""


class ExportError(GraticuleError):
    """A trained network cannot be exported, or its ONNX file does not agree with it."""


class LabelStoreError(GraticuleError):
    """A label cannot be stored or read as asked: the store, or what was to be written into it, is faulty."""


class LabelDatabaseError(LabelStoreError):
    """The database of labels fails: full disk, no connection. What was to be stored may be sent again."""


class BundleError(GraticuleError):
    """A model bundle is missing, altered or of another version."""


class TaskError(GraticuleError):
    """A manifest, a run or a bundle is of a task that this version does not know."""


class RunError(GraticuleError):
    """A run folder exists already, is unfinished or lacks a part."""


class FileError(GraticuleError, OSError):
    """A path names no regular file, or one that is too large; to handlers of OSError it is one of them.

    Parameters
    ----------
    number : int
        As of `OSError`.
    cause : str
        What is wrong, in one line: `strerror`.
    path : str
        The file: `filename`.
    """

    def __init__(self, number: int, cause: str, path: str) -> None:
        super().__init__(number, cause, path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


NO_MEMORY = "needs more memory than reading one file may take"
