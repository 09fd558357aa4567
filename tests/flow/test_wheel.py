"""The wheel holds everything that the packages need at run time: prompts, templates, SQL, recipes, cards."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("sage_data", "sage_models", "sage_eval")


def test_every_file_of_the_packages_travels(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= packed
    assert {f"sage_data/_recipes/{path.name}" for path in (ROOT / "recipes").glob("*.yaml")} <= packed
    cards = [path for path in (ROOT / "cards").rglob("*") if path.is_file()]
    assert {f"sage_data/_cards/{path.relative_to(ROOT / 'cards').as_posix()}" for path in cards} <= packed
    assert not [name for name in packed if name.startswith(("tests/", "docs/"))]
