"""The README's picture of the house is the house."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("sage_data", "sage_models", "sage_eval")
FOLDERS = {"recipes/", "cards/", "benchmarks/", "tests/", "docs/"}


def drawn() -> dict[str, set[str]]:
    """Folder -> names of what the README's tree shows inside it; top folders stand under the empty name."""
    (tree,) = re.findall(r"## The house\n\n```\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    shown: dict[str, set[str]] = {"": set()}
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0]
        if line.startswith("  "):
            shown[folder].add(name)
        else:
            folder = name.rstrip("/")
            shown[""].add(name)
            shown[folder] = set()
    return shown


def test_every_module_is_in_the_tree_and_nothing_else() -> None:
    shown = drawn()
    assert shown[""] == {f"{package}/" for package in PACKAGES} | FOLDERS
    for package in PACKAGES:
        modules = {path.name for path in (ROOT / package).glob("*.py") if not path.name.startswith("__")}
        folders = {f"{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")}
        assert shown[package] == modules | folders


def test_links_and_make_targets_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE)):
        assert f"\n{name}:" in makefile
