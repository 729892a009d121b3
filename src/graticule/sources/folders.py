"""Which image files a folder holds: sorted, links followed once, hidden and service files left out and counted.

A folder of a file server or of a system is not looked into: it may hold previews of all images.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from graticule.formats.chunk_stores import chunk_store

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
# folders and files that file servers, operating systems and programs put beside images, in lower case
_SERVICE_NAMES = frozenset(
    (
        # Synology, QNAP, NetApp, Samba, Netatalk, ZFS and Btrfs snapshots
        *("@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "@snapshot", "@recently-snapshot", "@sharebin"),
        *(".@__thumb", "@__thumb", "@__qini", "@upload_cache", ".@upload_cache", "~snapshot", ".snapshot"),
        *(".snapshots", ".zfs", ".recycle", ".appledouble", ".appledb", ".appledesktop", "network trash folder"),
        *("temporary items",),
        # Windows
        *("$recycle.bin", "recycler", "recycled", "system volume information", "$extend", "$winreagent"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        # macOS
        *("__macosx", ".trashes", ".trash", ".fseventsd", ".spotlight-v100", ".temporaryitems", ".ds_store"),
        *(".documentrevisions-v100", ".apdisk", ".volumeicon.icns", "icon\r"),
        # Linux, and programs that sync or show pictures
        *("lost+found", ".thumbnails", ".directory", ".sync", ".stfolder", ".stversions", ".dropbox", ".dropbox.cache"),
        *("picasa.ini", ".picasa.ini", ".picasaoriginals", ".ipynb_checkpoints", "__pycache__"),
    )
)
_SERVICE_PATTERNS = (
    (re.compile(r"\._.*", re.DOTALL), "._*"),
    (re.compile(r"\.trash-\d+"), ".Trash-*"),
    (re.compile(r"found\.\d{3}"), "found.000"),
    (re.compile(r".*@syno(?:resource|eastream)", re.DOTALL), "*@SynoResource"),
    (re.compile(r"~\$.*", re.DOTALL), "~$*"),
)
_HIDDEN = ".*"


@dataclass
class Listing:
    """What a folder holds; names relative to it, with "/".

    Attributes
    ----------
    files : list of str
        Images and what may be one (any file not known to be something else), sorted by code point. A folder that is
        one image (`graticule.formats.chunk_stores`) stands here too; it cannot be read.
    folders : list of str
        All folders below, sorted by code point.
    ignored : Counter of str
        Files left out, by suffix (or name where there is none).
    service : Counter of str
        Hidden files and folders, and those of servers and systems, by name or pattern; what lies in them not counted.
    faults : list of str
        Folders that cannot be listed, and why.
    warnings : list of str
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    service: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def all_warnings(self) -> list[str]:
        """The warnings, and one line each on service names and on ignored files."""
        found = list(self.warnings)
        if self.service:
            what = "hidden files and folders, and those of file servers and systems, were left out"
            found.append(f"{what} ({self.service.total():,}): {_counted(self.service)}")
        if self.ignored:
            found.append(f"{self.ignored.total()} files that are no images were ignored: {_counted(self.ignored)}")
        return found


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{n} {kind!r}" for kind, n in sorted(kinds.items()))


def service_name(name: str) -> str:
    """Name or pattern under which a file or folder counts as hidden or a server's or system's own; "" for others."""
    lower = name.lower()
    if lower in _SERVICE_NAMES:
        return name
    known = next((shown for pattern, shown in _SERVICE_PATTERNS if pattern.fullmatch(lower)), "")
    return known or (_HIDDEN if name.startswith(".") else "")


def in_service_folder(path: str) -> bool:
    """Whether a relative path names a file that a walk through its folder would leave out."""
    return any(part not in (".", "..") and service_name(part) for part in path.split("/"))


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
            unread = chunk_store(full, {entry.name for entry in inside})
        except OSError as error:
            listing.faults.append(f"{folder or '.'!r}: {error.strerror or error}")
            continue
        if unread:
            (listing.files if folder else listing.faults).append(folder or f"'.': {unread}")
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
        service = service_name(entry.name)
        if service:
            listing.service[service] += 1
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
