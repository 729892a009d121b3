"""Documentation against the program: commands, options, help, source tree, version, links."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from graticule import __version__

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(graticule [a-z][^`]*)`")


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """docs/write_commands.py as a module."""
    spec = importlib.util.spec_from_file_location("write_commands", ROOT / "docs" / "write_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, text) for page in PAGES for lang, text in BLOCK.findall(page.read_text("utf-8")) if lang == language
    ]


def _commands() -> list[tuple[str, list[str]]]:
    """Command lines in fenced blocks and in running text, as words."""
    lines = [(page, line) for page, text in _blocks("sh") for line in text.splitlines()]
    lines += [(page.name, text) for page in PAGES for text in INLINE.findall(page.read_text("utf-8"))]
    return [(page, shlex.split(line, comments=True)) for page, line in lines if line.strip()]


def _verb(words: list[str], verbs: dict[str, object]) -> tuple[str, list[str]]:
    """The verb of a command line, of one word or two, and the words after it."""
    n = 3 if " ".join(words[1:3]) in verbs else 2
    return " ".join(words[1:n]), words[n:]


def test_there_are_commands_to_check() -> None:
    assert len([words for _, words in _commands() if words[0] == "graticule"]) > 20


def test_commands_name_existing_verbs_and_options(writer: ModuleType) -> None:
    verbs = writer.verbs()
    for page, words in _commands():
        if words[0] != "graticule" or words[1] in ("VERB", "--help"):
            continue
        verb, _ = _verb(words, verbs)
        assert verb in verbs, f"{page}: {words}"
        parameters = verbs[verb].params
        known = {name for parameter in parameters for name in parameter.opts}
        used = {word.split("=")[0] for word in words if word.startswith("--")}
        assert used <= known | {"--help"}, f"{page}: {words}"


def test_whole_commands_give_what_a_verb_needs(writer: ModuleType) -> None:
    """In fenced blocks: the number of arguments, and every option that is required."""
    verbs = writer.verbs()
    for page, text in _blocks("sh"):
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] != ["graticule"]:
                continue
            verb, rest = _verb(words, verbs)
            parameters = verbs[verb].params
            takes_value = {n for p in parameters if writer.is_option(p) and not p.is_flag for n in p.opts}
            arguments = []
            while rest:
                word = rest.pop(0)
                if word in takes_value:
                    rest.pop(0)
                elif not word.startswith("--"):
                    arguments.append(word)
            positional = [p for p in parameters if not writer.is_option(p)]
            needed = [p for p in positional if p.required]
            endless = any(p.nargs == -1 for p in positional)
            fits = len(needed) <= len(arguments) <= len(positional)
            assert fits or (endless and len(arguments) > len(needed)), f"{page}: {line}"
            for parameter in parameters:
                if writer.is_option(parameter) and parameter.required:
                    assert parameter.opts[0] in words, f"{page}: {line}"


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = [words for _, words in _commands() if words[0] == "make"]
    assert used
    for words in used:
        assert {word for word in words[1:] if "=" not in word} <= targets, words


def test_the_help_of_every_verb_is_shown(writer: ModuleType) -> None:
    assert writer.PAGE.read_text("utf-8") == writer.page(), "run: python docs/write_commands.py"


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(
    "verb", ["train", "predict", "evaluate", "compare", "embed", "phantom", "demo", "doctor", "labels verify"]
)
def test_the_page_says_what_the_real_help_says(
    writer: ModuleType, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The layout differs, the words do not."""
    command = writer.verbs()[verb]
    with pytest.raises(SystemExit):
        command.main(args=["--help"], prog_name=f"graticule {verb}")
    real = _squeezed(capsys.readouterr().out)
    assert _squeezed(command.help) in real
    for parameter in command.params:
        if parameter.name != "help":
            assert _squeezed(parameter.help) in real
            assert writer.word(parameter).split()[0] in real


def test_the_tree_in_the_readme_says_what_each_folder_is_for() -> None:
    (tree,) = [text for page, text in _blocks("text") if page == "README.md" and text.startswith("src/graticule/")]
    listed = dict(re.findall(r"^  (\w+)/ +(.+)$", tree, re.MULTILINE))
    source = ROOT / "src" / "graticule"
    present = {
        folder.parent.name: ast.get_docstring(ast.parse(folder.read_text("utf-8"))) or ""
        for folder in source.glob("*/__init__.py")
    }
    assert set(listed) == set(present)
    for name, sentence in present.items():
        assert listed[name].casefold() == sentence.partition("\n")[0].rstrip(".").casefold(), name
    assert len(tree.splitlines()) <= 35


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_contributing_names_the_order_that_the_test_enforces() -> None:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "tests" / "test_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    architecture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(architecture)
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    told = re.search(r"<!-- order -->(.*?)<!-- end of order -->", text, re.DOTALL)
    assert told is not None
    names = re.findall(r"\w+", told[1])
    assert names == [name for name in architecture.ORDER if name != "__main__"]


def test_each_step_of_the_picture_is_a_folder() -> None:
    picture = (ROOT / "docs" / "images" / "way.svg").read_text("utf-8")
    rooms = set(re.findall(r'class="room".*?\n<text[^>]*>(?:<tspan[^>]*>)?(\w+)<', picture))
    rooms |= set(re.findall(r'<tspan class="name" style="font-size:14px">(\w+)<', picture))
    present = {folder.parent.name for folder in (ROOT / "src" / "graticule").glob("*/__init__.py")}
    assert rooms == present


@pytest.mark.parametrize("name", ["write_source", "write_formats"])
def test_a_page_made_from_the_source_is_as_written(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), f"run: python docs/{name}.py"


def test_the_changelog_starts_with_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_code_in_the_pages_is_code() -> None:
    python = _blocks("python")
    assert python
    for page, text in python:
        tree = ast.parse(text, page)
        guarded = "__main__" in text
        assert guarded, f"{page}: worker processes import the script, so its calls need a guard"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "graticule":
                import graticule

                assert hasattr(graticule, node.attr), f"{page}: graticule.{node.attr}"
    for _, text in _blocks("json"):
        json.loads(text)


def test_options_named_in_python_exist() -> None:
    from dataclasses import fields

    from graticule.jobs.train.options import TrainOptions

    known = {field.name for field in fields(TrainOptions)}
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    named = re.search(r"fields of `TrainOptions`: (.*?)\.\n", page, re.DOTALL)
    assert named is not None
    assert set(re.findall(r"`(\w+)`", named[1])) == known


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda file: file.name)
def test_examples_are_guarded_and_compile(example: Path) -> None:
    text = example.read_text("utf-8")
    compile(text, str(example), "exec")
    assert 'if __name__ == "__main__":' in text
