"""The shape of the program: imports go one way, heavy packages load late, modules stay small and say what they do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import graticule

ROOT = Path(graticule.__file__).parent
ORDER = (
    "quiet",
    "errors",
    "names",
    "plain_text",
    "gates",
    "files",
    "claims",
    "documents",
    "arrays",
    "tasks",
    "progress",
    "manifest",
    "options",
    "predictions",
    "values",
    "runs",
    "answers",
    "value_answers",
    "bundle_info",
    "bundle",
    "statistics",
    "directions",
    "evaluate",
    "workers",
    "formats",
    "sources",
    "images",
    "networks",
    "features",
    "split",
    "heads",
    "regress",
    "training",
    "finetune",
    "explain",
    "audit",
    "decide",
    "label_errors",
    "counting",
    "synthesis",
    "report",
    "record",
    "review",
    "phantoms",
    "jobs",
    "value_api",
    "api",
    "cli",
    "__main__",
)
MODULES = {
    ".".join(("graticule", *file.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in sorted(ROOT.rglob("*.py"))
}
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in MODULES.items()}

MAX_LINES = 350
MAX_FUNCTION_LINES = 70
MAX_CLASS_LINES = 200
MAX_PARAMETERS = 8
# choices that are each an option of their own, all by name
MORE_PARAMETERS = {"graticule.split.folds.make_folds", "graticule.finetune.frozen.write_maps"}
# who may import what; a package that is not listed here may be imported anywhere
# the method finetune, which is loaded when it is asked for; its choices and its order of samples need no torch
TRAINING = {name for name in MODULES if name.startswith(("graticule.finetune.", "graticule.training."))}
TORCH_FREE = {
    "graticule.finetune.recipe",
    "graticule.finetune.options",
    "graticule.training.order",
    "graticule.training.interrupt",
    "graticule.training.schedule",
    "graticule.finetune.validation",
}
TIMM = {f"graticule.networks.{name}" for name in ("timm_backbones", "timm_hub", "torch_export")}
ALLOWED = {
    "torch": TIMM | TRAINING - TORCH_FREE,
    "torchvision": set[str](),
    "timm": TIMM | {"graticule.finetune.network", "graticule.finetune.layout", "graticule.finetune.weights"},
    "accelerate": {"graticule.training.processes"},
    "pickle": {"graticule.networks.torch_pickle"},
    **{
        name: set[str]()
        for name in (
            "cv2",
            "joblib",
            "pandas",
            "marshal",
            "shelve",
            "dill",
            "cloudpickle",
            "requests",
            "httpx",
            "httpx2",
            "urllib",
        )
    },
}


def imports(tree: ast.AST) -> set[str]:
    """Every module imported anywhere in a tree, inside functions too; names of submodules are resolved."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else module for name in names}
    return found


def ours(name: str) -> set[str]:
    """Modules of this program that a module imports; the package itself (its version) does not count."""
    return {other for other in imports(TREES[name]) if other.startswith("graticule.")}


def rank(name: str) -> int:
    return ORDER.index(name.split(".")[1])


def test_every_module_has_a_place_in_the_order() -> None:
    assert {name.split(".")[1] for name in MODULES if name != "graticule"} <= set(ORDER)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "graticule"])
def test_imports_go_one_way(name: str) -> None:
    unknown = ours(name) - set(MODULES)
    assert not unknown, f"{name} imports what does not exist: {unknown}"
    backwards = {other for other in ours(name) if rank(other) > rank(name)}
    assert not backwards, f"{name} imports {backwards}, which come after it"


def test_there_is_no_cycle() -> None:
    modules = {name: ours(name) for name in MODULES if name != "graticule"}
    # raises CycleError, which names the modules, where there is one
    assert set(TopologicalSorter(modules).static_order()) >= set(modules)


def test_packages_hold_a_sentence_and_nothing_else() -> None:
    for name, file in MODULES.items():
        if file.name == "__init__.py" and name != "graticule":
            assert ast.get_docstring(TREES[name]), f"{name} does not say what it is for"
            assert len(TREES[name].body) == 1, f"{name} holds more than a sentence"


def test_the_top_imports_nothing_but_what_keeps_it_quiet() -> None:
    runtime = [node for node in TREES["graticule"].body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in runtime if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "typing", "graticule.quiet"}


def test_what_the_package_imports_at_once_is_the_standard_library() -> None:
    assert imports(TREES["graticule.quiet"]) <= {"__future__", "os", "sys", "typing"}


@pytest.mark.parametrize("package", ALLOWED)
def test_forbidden_and_reserved_imports(package: str) -> None:
    users = {name for name, tree in TREES.items() if package in {other.split(".")[0] for other in imports(tree)}}
    assert users <= ALLOWED[package]


def test_the_one_reader_of_pickles_writes_none_and_loads_by_its_own_class_only() -> None:
    names = {
        node.attr
        for node in ast.walk(TREES["graticule.networks.torch_pickle"])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pickle"
    }
    assert names == {"Unpickler", "UnpicklingError"}


def test_reserved_packages_load_inside_functions() -> None:
    for name in TIMM:
        top = ast.Module([node for node in TREES[name].body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        assert not {"torch", "timm"} & {other.split(".")[0] for other in imports(top)}


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small_and_described(name: str) -> None:
    tree, file = TREES[name], MODULES[name]
    if file.name != "__init__.py":
        assert ast.get_docstring(tree), f"{name} does not say what it is for"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{name}.{node.name} has {lines} lines"


def test_classes_are_small_and_functions_take_few_things() -> None:
    many = set()
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= MAX_CLASS_LINES, f"{name}.{node.name} has {lines} lines"
            if isinstance(node, ast.FunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([one for one in given if one.arg not in ("self", "cls")]) > MAX_PARAMETERS:
                    many.add(f"{name}.{node.name}")
    assert many == MORE_PARAMETERS


def public_names(tree: ast.Module) -> dict[str, ast.stmt]:
    """Names without underscore that a module defines at its top, each with its statement."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return {name: node for name, node in found.items() if not name.startswith("_")}


# every verb of the command line has one, every program begins there, every kind of features names its own, and the
# Python interface is the verbs
ONE_MEANING = {"command", "main", "feature_names"}
MIGRATION = "graticule.record.migrations."
# what users call; their names may stand elsewhere too
INTERFACE = ("graticule.api", "graticule.value_api")


def test_no_public_name_has_two_meanings() -> None:
    homes: dict[str, dict[str, ast.stmt]] = {}
    for name, tree in TREES.items():
        if name not in ("graticule.api", "graticule.value_api", "graticule.cli.options") and not name.startswith(
            MIGRATION
        ):
            for own, node in public_names(tree).items():
                homes.setdefault(own, {})[name] = node
    twice = {
        own: sorted(where)
        for own, where in homes.items()
        if len(where) > 1
        and own not in ONE_MEANING
        and any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in where.values())
    }
    assert not twice


# used by tests alone, or by the frameworks that find them by their decorator
UNUSED = {"graticule.review.web.app.serving"}


def named_in(tree: ast.AST) -> Counter[str]:
    """How often each name is read, imported, or stands alone in a text."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.ImportFrom):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found[node.value] += 1
    return found


def test_no_public_name_is_dead() -> None:
    everywhere = sum((named_in(tree) for tree in TREES.values()), Counter[str]())
    dead = {
        f"{name}.{own}"
        for name, tree in TREES.items()
        if name not in INTERFACE and not name.startswith(MIGRATION)
        for own, node in public_names(tree).items()
        # what a function says of itself is no use of it
        if everywhere[own] <= named_in(node)[own]
    }
    assert dead <= UNUSED


def test_every_module_has_a_test_file() -> None:
    """The tests of a module stand where it stands; migrations are tested as the store that they build."""
    tests = Path(__file__).parent
    lacking = {
        name.removeprefix("graticule.")
        for name, file in MODULES.items()
        if file.stem not in ("__init__", "__main__")
        and not name.startswith(MIGRATION)
        and not (tests / file.parent.relative_to(ROOT) / f"test_{file.stem}.py").is_file()
    }
    assert sorted(lacking) == [], "without a file of their own"


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_and_classes_are_described(name: str) -> None:
    # verbs of the command line and rules of a Protocol included; methods of private classes are not
    for node in TREES[name].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_habits(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            assert caught not in ("", "Exception", "BaseException"), f"{name}:{node.lineno} catches everything"
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            assert name.startswith("graticule.cli"), f"{name}:{node.lineno} prints"
    assert name.rpartition(".")[2] not in ("utils", "helpers", "common", "misc")
    assert "TODO" not in MODULES[name].read_text(encoding="utf-8")


# what opens a file by its name; only graticule.files does, which follows no link and waits for no pipe
BY_NAME = re.compile(
    "(read|write)_(text|bytes)|touch|(symlink|hardlink)_to|tofile|fromfile|savetxt|loadtxt|genfromtxt|"
    "open_memmap|NamedTemporaryFile|mks?temp|mkdtemp|rmtree|copy(file|tree|2)|move|(remove|make)dirs|fdopen"
)
OS_FUNCTIONS = {"open", "rename", "replace", "link", "symlink", "truncate", "mkdir", "mkfifo"}
ELSEWHERE = {
    "graticule.files": "the door itself",
    "graticule.review.web.pages": "files of the package, and an export in a folder that only this user can enter",
    "graticule.report.page": "templates of the package",
    "graticule.workers.main_guard": "the user's own script, which is running",
    "graticule.workers.process": "a setting of the kernel",
    "graticule.networks.trial": "what the system says of this process",
    "graticule.cli.console": "the null device, in the place of an output nobody reads any more",
}


def opened_by_name(call: ast.Call) -> str | None:
    """What in a call opens, writes or removes a file by its name, or None."""
    if isinstance(call.func, ast.Name):
        return "open()" if call.func.id == "open" else None
    if not isinstance(call.func, ast.Attribute):
        return None
    owner, method = ast.unparse(call.func.value), call.func.attr
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    if BY_NAME.fullmatch(method) or (owner == "os" and method in OS_FUNCTIONS):
        return f"{owner}.{method}"
    if method == "open" and (
        any(isinstance(value, ast.Constant) and set(str(value.value)) <= set("rwaxbt+") for value in given)
        or any(keyword.arg in ("encoding", "newline", "buffering") for keyword in call.keywords)
        or (not call.args and not call.keywords and owner not in ("self", "cls"))
    ):
        return f"{owner}.open"
    if (
        method in ("save", "savez", "write_table", "write_csv", "ParquetWriter", "ParquetFile", "read_table")
        and call.args
    ):
        place = call.args[1 if method in ("write_table", "write_csv") and len(call.args) > 1 else 0]
        if isinstance(place, ast.BinOp) or (isinstance(place, ast.Name) and place.id in ("file", "path", "out")):
            return f"{owner}.{method} of {ast.unparse(place)}"
    return None


def test_files_are_opened_at_one_door() -> None:
    found = {
        f"{name}:{node.lineno} {what}"
        for name, tree in TREES.items()
        if name not in ELSEWHERE
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (what := opened_by_name(node)) is not None
    }
    assert not found
    assert set(ELSEWHERE) <= set(MODULES)


@pytest.mark.parametrize(
    "code",
    [
        "open(file)",
        "file.open('wb')",
        "file.open(mode='a')",
        "file.open(encoding='utf-8')",
        "file.open()",
        "Path(name).write_text('')",
        "np.savez(file, a=1)",
        "np.savez(path / 'a', a=1)",
        "image.save(folder / 'a.png')",
        "pq.write_table(table, file)",
        "os.open(file, 0)",
        "shutil.rmtree(folder)",
        "tempfile.NamedTemporaryFile()",
    ],
)
def test_what_opens_a_file_is_recognised(code: str) -> None:
    (statement,) = ast.parse(code).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert opened_by_name(statement.value)


def loaded(statement: str) -> set[str]:
    """Top-level packages in memory after a statement in a fresh interpreter."""
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint('|', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return {name.split(".")[0] for name in done.stdout.rpartition("|")[2].split()}


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["predict", "--help"], ["--version"]])
def test_help_is_light(arguments: list[str]) -> None:
    packages = loaded(f"sys.argv = ['graticule', *{arguments}]; from graticule.cli.app import main; main()")
    assert "typer" in packages
    heavy = {"torch", "timm", "sklearn", "scipy", "onnx", "onnxruntime", "matplotlib", "pyarrow", "numpy"}
    assert not heavy & packages


def test_prediction_needs_neither_scikit_learn_nor_torch() -> None:
    packages = loaded("import graticule.jobs.predict, graticule.heads.predictor")
    assert "onnxruntime" in packages
    assert not {"torch", "timm", "sklearn", "scipy", "onnx", "matplotlib"} & packages


def test_worker_processes_load_only_what_decodes() -> None:
    packages = loaded("import graticule.images.decode")
    assert "tifffile" in packages
    assert not {"torch", "sklearn", "scipy", "onnx", "onnxruntime", "matplotlib", "pyarrow", "typer"} & packages


def test_no_job_loads_torch() -> None:
    jobs = [name for name in MODULES if name.startswith("graticule.jobs.") and name not in TRAINING] + [*TORCH_FREE]
    assert len(jobs) > 20
    assert not {"torch", "timm", "torchvision"} & loaded(f"import {', '.join(jobs)}")
