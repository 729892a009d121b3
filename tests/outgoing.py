"""A guard around a command and all its children: what they ask of a network, and what they write where they should not.

On Linux with strace the kernel's calls are read, so that native code is seen too. Elsewhere an audit hook in every
Python process tells of sockets, look-ups and files. Either way the home folder is new and empty, and what lies in it
afterwards counts as written, whoever wrote it.
"""

from __future__ import annotations

import codecs
import functools
import http.client
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graticule.quiet import SWITCHES

DNS = 53
# nscd's socket is not among them: it tells the name of the user too, and a look-up of a host reads resolv.conf besides
RESOLVERS = ("/etc/resolv.conf", "/run/systemd/resolve")
# what the operating system itself keeps: terminals, null, and semaphores of processes that work together
SYSTEM = ("/dev/null", "/dev/tty", "/dev/pts/", "/dev/shm/", "/proc/", "/dev/nvidia", "/dev/fuse", "pipe:", "socket:")
_NETWORK = ("connect", "sendto", "sendmsg", "sendmmsg")
_CHANGING = (
    *("creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat"),
    *("symlink", "symlinkat", "truncate", "mknod", "mknodat", "chmod", "fchmodat"),
)
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)$")
_UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_NAMES = re.compile(r'(?:(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(r'(?:sin_addr=inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"|sun_path=@?"([^"]*)")')
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
HOOK = """
import json, os, sys

_log = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
_FILES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "sqlite3.connect")

def _hook(event, args):
    if event == "open" and not (isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        return
    network = event.startswith("socket.") and event not in ("socket.__new__", "socket.bind", "socket.gethostname")
    if event == "open" or event in _FILES or network:
        plain = [os.fsdecode(a) if isinstance(a, (str, bytes, os.PathLike)) else
                 list(a) if isinstance(a, tuple) else a if isinstance(a, int) else None for a in args]
        os.write(_log, (json.dumps([event, plain, os.getcwd()], default=str) + "\\n").encode())

sys.addaudithook(_hook)
"""


@dataclass(frozen=True)
class Places:
    """Where a watched command may write, `allowed`, and where its empty home, its cache and its temporary files are."""

    work: Path
    allowed: tuple[Path, ...]

    @property
    def home(self) -> Path:
        """The home folder; nothing may be written into it."""
        return self.work / "home"

    @property
    def cache(self) -> Path:
        """The program's own cache."""
        return self.work / "cache"

    @property
    def scratch(self) -> Path:
        """The folder for temporary files."""
        return self.work / "scratch"

    def environment(self) -> dict[str, str]:
        """The variables of the watched command: those here, with these places, and no switch of a package set."""
        for folder in (self.home, self.cache, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k not in SWITCHES and not k.startswith(("XDG_", "HF_", "MPL"))}
        homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(self.home))
        scratch = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch))
        return kept | homes | scratch | {"GRATICULE_CACHE": str(self.cache), "PYTHONDONTWRITEBYTECODE": "1"}

    def may_write(self, path: str) -> bool:
        """Whether a path lies in an allowed place."""
        if path.startswith(SYSTEM):
            return True
        places = [self.cache, self.scratch, *self.allowed]
        real = os.path.realpath(path)
        return any(real == (own := os.path.realpath(place)) or real.startswith(own + os.sep) for place in places)


@functools.cache
def has_strace() -> bool:
    """Whether strace is there and may trace."""
    if not sys.platform.startswith("linux") or shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, check=False)
    return tried.returncode == 0


class Watch:
    """A command under the guard.

    Parameters
    ----------
    places : Places
    strace : bool, optional
        Read the kernel's calls; default where that is possible.
    """

    def __init__(self, places: Places, *, strace: bool | None = None) -> None:
        self.places = places
        self.strace = has_strace() if strace is None else strace
        self._log = places.work / "watched.log"
        self._log.unlink(missing_ok=True)
        self.environment = places.environment()
        if not self.strace:
            hook = places.work / "hook"
            hook.mkdir(exist_ok=True)
            (hook / "sitecustomize.py").write_text(HOOK.format(log=str(self._log)))
            path = [str(hook), *filter(None, [os.environ.get("PYTHONPATH")])]
            self.environment["PYTHONPATH"] = os.pathsep.join(path)

    def command(self, words: Sequence[str]) -> list[str]:
        """The command line to start in place of `words`, with `environment`."""
        if not self.strace:
            return list(words)
        calls = ",".join(("open", "openat", *_NETWORK, *(f"?{name}" for name in _CHANGING)))
        # -y: folders behind numbers; the filter in the kernel makes calls that are not asked for cost nothing
        how = ("-f", "-qq", "-y", "-s", "4096", "-e", f"trace={calls}", "-e", "signal=none", "--seccomp-bpf")
        return ["strace", *how, "-o", str(self._log), *words]

    def run(self, *words: str, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(words), env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def python(self, *words: str, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run this interpreter with arguments to its end."""
        return self.run(sys.executable, *words, timeout=timeout)

    def faults(self) -> list[str]:
        """What was asked of a network, and what was written outside the places, each once and in order."""
        if not self._log.exists():
            raise AssertionError("the guard saw nothing: it was not at work")
        lines = self._log.read_text(errors="replace").splitlines()
        found = _of_strace(lines, self.places) if self.strace else _of_hook(lines, self.places)
        left = (f"left behind: {file}" for file in sorted(self.places.home.rglob("*")))
        return list(dict.fromkeys([*found, *left]))


def _of_hook(lines: Sequence[str], places: Places) -> Iterator[str]:
    for line in lines:
        event, args, folder = json.loads(line)
        if not event.startswith("socket."):
            names = [
                a for a in args[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1] if isinstance(a, str)
            ]
            for name in names[1:] if event == "os.symlink" else names:
                # relative to an open folder (a tree is removed so): the making of what lies there was told of
                by_folder = event.startswith("os.") and isinstance(args[-1], int) and args[-1] >= 0
                relative = by_folder and event != "os.truncate" and not Path(name).is_absolute()
                if name != ":memory:" and not relative and not places.may_write(str(Path(folder, name))):
                    yield f"{event}: {name}"
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
            if isinstance(address, list) and not _is_loopback(str(address[0]), int(address[1])):
                yield f"{event}: {address[0]} port {address[1]}"
        elif not (args and _is_loopback(str(args[0]), 0)):
            yield f"{event}: looks up {args[0] if args else ''}"


def _of_strace(lines: Sequence[str], places: Places) -> Iterator[str]:
    folder = str(Path.cwd())
    for name, arguments, result, rest in _whole_calls(lines):
        if name in _NETWORK:
            yield from _network_faults(name, arguments)
            continue
        failed = result.startswith("-") and any(word in rest for word in ("ENOENT", "EEXIST", "ENOTEMPTY"))
        names = [_absolute(at, text, folder) for at, text in _NAMES.findall(arguments)]
        if name in ("open", "openat"):
            if names and names[0].startswith(RESOLVERS):
                yield f"reads {names[0]} to look up a name"
            if failed or not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments):
                continue
        elif failed:
            continue
        for path in names[1:] if name.startswith("symlink") else names:
            if not places.may_write(path):
                yield f"{name}: {path}{' (failed)' if result.startswith('-') else ''}"


def _whole_calls(lines: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Name, arguments, result and what follows it, of calls that are on one line or on two."""
    begun: dict[str, str] = {}
    for line in lines:
        if cut := _UNFINISHED.match(line):
            begun[cut[1]] = cut[2]
            continue
        if again := _RESUMED.match(line):
            line = f"{again[1]} {begun.pop(again[1], '')}{again[2]}"
        if call := _CALL.match(line):
            yield call[2], call[3], call[4], call[5]
    # a process that was ended within a call: what it asked for counts
    for text in begun.values():
        if call := re.match(r"^(\w+)\((.*)$", text):
            yield call[1], call[2], "?", ""


def _network_faults(name: str, arguments: str) -> Iterator[str]:
    port = _PORT.search(arguments)
    for four, six, local in _ADDRESS.findall(arguments):
        if local:
            if local.startswith(RESOLVERS):
                yield f"{name}: asks {local} for a name"
        elif not _is_loopback(four or six, int(port[1]) if port else 0):
            yield f"{name}: {four or six} port {port[1] if port else '?'}"


def _is_loopback(host: str, port: int) -> bool:
    """Whether an address is on this machine, and no server of names."""
    if port == DNS:
        return False
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


def _absolute(at: str, text: str, folder: str) -> str:
    plain = [os.fsdecode(codecs.escape_decode(part.encode())[0]) for part in (at, text)]
    return os.path.normpath(Path(plain[0] or folder, plain[1])) if plain[1] else plain[0]


def visit_review(watch: Watch, source: Path, labels: Path) -> list[str]:
    """Serve a review under the guard, look at every page and picture of its first image, decide it, end with Ctrl-C.

    Returns
    -------
    list of str
        Addresses that did not answer with 200, 201 or 404 (what a review does not have), each with its status.
    """
    words = ["-m", "graticule", "review", str(source), "--labels", str(labels), "--port", "0", "--user", "Ann"]
    process = subprocess.Popen(
        watch.command([sys.executable, *words]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=watch.environment | {"GRATICULE_PASSWORD": ""},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        host, _, rest = process.stdout.readline().strip().removeprefix("http://").partition(":")
        port, _, query = rest.partition("/")
        failed = _visit(http.client.HTTPConnection(host, int(port), timeout=120), f"/{query}")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=120)
        return failed
    finally:
        process.kill()
        process.communicate()


def _visit(connection: http.client.HTTPConnection, start: str) -> list[str]:
    failed, headers = [], {"Content-Type": "application/json"}

    def ask(address: str, body: str | None = None) -> bytes:
        connection.request("GET" if body is None else "POST", address, body, headers)
        answer = connection.getresponse()
        if answer.status not in (200, 201, 303, 404):
            failed.append(f"{address}: {answer.status}")
        if cookie := (answer.getheader("set-cookie") or "").split(";")[0]:
            headers["Cookie"] = cookie
        return answer.read()

    ask(start)
    items = json.loads(ask("/api/queue?kind=all"))["items"]
    image, settings = items[0]["id"], json.loads(ask("/api/settings"))
    label = settings["classes"][0]
    pages = ("/", "/grid", "/overview", "/disagreements", "/record", "/export/labels.csv", "/api/disagreements")
    pictures = (f"/api/{kind}/{image}" for kind in ("item", "image", "thumb", "nearest"))
    for address in (*pages, *pictures, f"/api/explanation/{image}?class={label}", f"/api/grid?class={label}"):
        ask(address)
    event = {"client_id": "1", "action": "label", "image": image, "value": label, "who": "Ann"}
    ask("/api/event", json.dumps(event))
    ask("/api/verify", "{}")
    connection.close()
    return failed
