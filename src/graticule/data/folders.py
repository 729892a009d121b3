"""Which image files a folder holds: sorted, hidden ones left out, links followed once."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath

_OTHER_SUFFIXES = (
    "txt md rst json jsonl geojson csv tsv xls xlsx ods xml html htm css js pdf doc docx odt rtf ppt pptx tex bib yaml "
    "yml toml ini cfg conf log py pyc ipynb m r sh bat ps1 npy npz mat h5 hdf5 parquet feather arrow pkl pickle joblib "
    "db sqlite sqlite3 zip tar gz tgz bz2 xz 7z rar onnx safetensors pt pth ckpt mp4 avi mov mkv wav mp3 exe dll so "
    "lnk url bak tmp part sha256 md5 license"
)
_OTHER_NAMES = (
    "readme license licence copying notice authors changelog citation makefile dockerfile sha256sums md5sums checksums"
)
NOT_IMAGES = frozenset(f".{suffix}" for suffix in _OTHER_SUFFIXES.split())
NOT_IMAGE_NAMES = frozenset(_OTHER_NAMES.split())
_SYSTEM_NAMES = frozenset(("thumbs.db", "desktop.ini", "__macosx"))


@dataclass
class Listing:
    """What a folder holds; names relative to it, with "/".

    Attributes
    ----------
    files : list of str
        Images and what may be one (any file not known to be something else), sorted by code point.
    folders : list of str
        All folders below, sorted by code point.
    ignored : Counter of str
        Files left out, by suffix (or name where there is none).
    faults : list of str
        Folders that cannot be listed, and why.
    warnings : list of str
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def all_warnings(self) -> list[str]:
        """The warnings, and one line on ignored files."""
        if not self.ignored:
            return self.warnings
        kinds = ", ".join(f"{n} {kind!r}" for kind, n in sorted(self.ignored.items()))
        return [*self.warnings, f"{self.ignored.total()} files that are no images were ignored: {kinds}"]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden (leading dot) or an operating system's own."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def list_folder(top: Path) -> Listing:
    """List a folder and all below it.

    Every folder is read once, real ones before links, so that a link to a folder that is read anyway (a loop, a
    second name for a class) neither hangs nor lends its files to another class; it is named in the warnings.
    """
    listing = Listing()
    seen: dict[tuple[int, int], str] = {}
    links: list[str] = []
    pending = [""]
    while pending or links:
        linked = not pending
        folder = links.pop(0) if linked else pending.pop()
        full = top / folder
        try:
            status = full.stat()
            first = seen.setdefault((status.st_dev, status.st_ino), folder)
            if linked and first != folder:
                listing.warnings.append(f"link {folder!r} was not followed: folder {first or '.'!r} is read anyway")
                continue
            with os.scandir(full) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            listing.faults.append(f"{folder or '.'!r}: {error.strerror or error}")
            continue
        if folder:
            listing.folders.append(folder)
        folders, folder_links = _sort_entries(inside, folder, listing)
        pending += folders
        links += folder_links
    listing.files.sort()
    listing.folders.sort()
    return listing


def _sort_entries(entries: list[os.DirEntry[str]], folder: str, listing: Listing) -> tuple[list[str], list[str]]:
    """Put files into the listing; return real sub-folders and links to folders."""
    folders: list[str] = []
    links: list[str] = []
    for entry in entries:
        if is_hidden(entry.name):
            continue
        relative = f"{folder}/{entry.name}" if folder else entry.name
        kind = _kind(entry)
        if kind == "folder":
            (links if entry.is_symlink() else folders).append(relative)
            continue
        suffix = PurePath(entry.name).suffix.lower()
        if suffix in NOT_IMAGES or (not suffix and entry.name.lower() in NOT_IMAGE_NAMES):
            listing.ignored[suffix or entry.name] += 1
        elif kind == "file":
            listing.files.append(relative)
        else:
            listing.warnings.append(f"{relative!r} is no regular file and was ignored")
    return folders, links


def _kind(entry: os.DirEntry[str]) -> str:
    """ "folder", "file" or "other". A dangling link counts as a file: it is reported as unreadable, not hidden."""
    try:
        if entry.is_dir():
            return "folder"
        mode = 0 if entry.is_file() else entry.stat().st_mode
    except OSError:
        return "file"
    return "other" if mode else "file"
