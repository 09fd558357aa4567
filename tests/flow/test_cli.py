"""The command line as a person meets it: help with examples, quick start-up, exit codes, errors in sentences."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import toy_stages
from click.testing import CliRunner

from sage_data.cli.lazy import LazyGroup
from sage_data.cli.main import call, cli
from sage_data.cli.stage_command import stage_command
from sage_data.stage import Context, Inputs, Need, Output


def leaves(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, LazyGroup]]:
    """Every command's full name with its group; nothing below a group is imported yet."""
    context = click.Context(group)
    for name in group.list_commands(context):
        if name in ("data", "model", "eval"):
            inner = group.get_command(context, name)
            assert isinstance(inner, LazyGroup)
            yield from leaves(inner, (*path, name))
        else:
            yield " ".join((*path, name)), group


LEAVES = dict(leaves(cli))
HEAVY = ("torch", "pydantic", "pyarrow", "polars", "duckdb", "nltk", "rich", "fsspec", "PIL", "ray")


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_every_command_has_help_with_an_example_of_itself(path: str) -> None:
    # A command's own name may have two words.
    group = LEAVES[path]
    command = group.get_command(click.Context(group), path.removeprefix(f"{group.name} "))
    assert command is not None
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0, result.output
    assert "Example:" in result.output
    assert f"sage {path}" in result.output


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = f"import sys, sage_data.cli.main as m; m.call(['--help']);print([n for n in {HEAVY} if n in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.rstrip().endswith("[]")
    best = min(_seconds([sys.executable, "-m", "sage_data.cli.main", "--help"]) for _ in range(3))
    assert best < 0.3


def _seconds(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["dataa"], 2, "Did you mean 'data'"),
        (["data", "gates"], 2, "Did you mean 'gate'"),
        (["run", "quickstrat"], 2, "did you mean 'quickstart'"),
        (["run", "nowhere.yaml"], 2, "no such recipe file"),
        (["run", "quickstart", "--set", "gatd.x=1"], 2, "did you mean 'gated'"),
        (["status", "."], 2, "not a run folder"),
        (["data", "gate", "nowhere", "--out", "x"], 2, "does not exist"),
    ],
)
def test_mistakes_end_with_a_sentence_and_code_two(
    arguments: list[str],
    code: int,
    message: str,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(arguments) == code
    errors = capfd.readouterr().err
    assert message in errors
    assert "Traceback" not in errors


class TestStageCommand:
    """The command made from the toy stage."""

    command = stage_command("toy", "toy_stages", "write numbers", "sage data toy --out numbers/")

    def invoke(self, *arguments: str) -> click.testing.Result:
        return CliRunner().invoke(self.command, list(arguments))

    def test_options_reach_the_config_and_the_manifest_is_printed(self, tmp_path: Path) -> None:
        result = self.invoke("--out", str(tmp_path / "o"), "--shards", "2", "--set", "rows=6", "--seed", "3", "--json")
        assert result.exit_code == 0, result.output
        manifest = json.loads(result.stdout)
        assert (manifest["config"]["shards"], manifest["config"]["rows"], manifest["seed"]) == (2, 6, 3)
        assert manifest["counts"][0]["came_in"] == 12

    def test_summary_goes_to_stdout_and_the_path_to_stderr(self, tmp_path: Path) -> None:
        result = self.invoke("--out", str(tmp_path / "o"), "--shards", "2", "-q")
        assert result.stdout == "2 shards\n"
        assert "wrote" in result.stderr

    def test_inputs_given_as_options(self, tmp_path: Path) -> None:
        self.invoke("--out", str(tmp_path / "a"), "--shards", "1")
        result = self.invoke("--out", str(tmp_path / "b"), "--numbers", str(tmp_path / "a"), "--json")
        assert json.loads(result.stdout)["inputs"]["numbers"][0]["label"] == "a"

    def test_urls_only_where_the_stage_can_read_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = self.invoke("--out", str(tmp_path / "o"), "--numbers", "memory://numbers")
        assert refused.exit_code == 2
        assert "expected a local path, found the URL memory://numbers" in refused.output
        remote = Need("numbers", "folder of numbers", optional=True, remote=True)
        monkeypatch.setattr(toy_stages, "INPUTS", (remote,))
        command = stage_command("toy", "toy_stages", "write numbers", "sage data toy --out numbers/")
        missing = CliRunner().invoke(command, ["--out", str(tmp_path / "o"), "--numbers", str(tmp_path / "nowhere")])
        assert missing.exit_code == 2
        assert "nowhere' does not exist" in missing.output
        gone = CliRunner().invoke(command, ["--out", str(tmp_path / "o"), "--numbers", "memory://numbers"])
        assert "memory://numbers: no such file" in str(gone.exception)

    def test_wrong_values_name_the_option(self, tmp_path: Path) -> None:
        result = self.invoke("--out", str(tmp_path / "o"), "--set", "shards=many")
        assert result.exit_code != 0
        assert "--shards" in str(result.exception)


class TestFailedParts:
    """A stage that finished although parts of it failed: usable, and never mistaken for whole."""

    @pytest.fixture(autouse=True)
    def failing_toy(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        real = toy_stages.run

        def failing(config: toy_stages.Config, inputs: Inputs, out: Output, context: Context) -> None:
            real(config, inputs, out, context)
            if config.shards == 2:
                out.fail("shard 1 ended early")

        monkeypatch.setattr(toy_stages, "run", failing)
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize("as_json", [[], ["--json"]])
    def test_a_stage_ends_with_three_each_time_it_is_asked_for(
        self, as_json: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            result = CliRunner().invoke(TestStageCommand.command, ["--out", "o", "--shards", "2", "-q", *as_json])
            assert result.exit_code == 3
            assert "failed: shard 1 ended early\n" in result.stderr
            assert "shards" in result.stdout
            monkeypatch.setattr(toy_stages, "run", None)

    def test_a_run_goes_on_and_ends_with_three(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path("two.yaml").write_text(
            "version: 1\nname: two\nstages:\n"
            "  first: {uses: toy_stages, with: {shards: 2}}\n"
            "  second: {uses: toy_stages, inputs: {numbers: first}, with: {shards: 1}}\n",
            encoding="utf-8",
        )
        for arguments in (["run", "two.yaml"], ["run", "two.yaml", "--json"], ["resume", "runs/two"]):
            assert call([*arguments, "-q"]) == 3
            assert "failed: first: shard 1 ended early\n" in capfd.readouterr().err
        assert Path("runs/two/second/manifest.json").is_file()
        assert call(["run", "two.yaml", "--set", "first.shards=3", "-q"]) == 0


class TestFunnel:
    """`sage data funnel`."""

    @pytest.fixture(autouse=True)
    def two_stages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name, came_in, kept in (("first", 30, 20), ("second", 20, 5)):
            counts = {"unit": "dialogues", "came_in": came_in, "kept": kept, "dropped": {"no_question": came_in - kept}}
            Path(name).mkdir()
            Path(name, "funnel.json").write_text(json.dumps(counts), encoding="utf-8")

    def test_one_picture_across_stages(self) -> None:
        assert call(["data", "funnel", "first", "second", "--out", "f.svg", "--title", "A & B"]) == 0
        drawn = Path("f.svg").read_text(encoding="utf-8")
        assert "A &amp; B" in drawn
        assert drawn.count(">dialogues<") == 1
        assert ">16.7%<" in drawn
        assert call(["data", "funnel", "first", "second", "--out", "f.png"]) == 0
        assert Path("f.png").read_bytes().startswith(b"\x89PNG")

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["first", "--out", "f.pdf"], 2, "ends in .svg or .png, found .pdf"),
            (["nowhere", "--out", "f.svg"], 1, "nowhere: holds no funnel.json"),
            (["odd", "--out", "f.svg"], 1, "not a funnel: expected a mapping, found list"),
            (["--out", "f.svg"], 2, "Missing argument"),
        ],
    )
    def test_mistakes(self, arguments: list[str], code: int, message: str, capfd: pytest.CaptureFixture[str]) -> None:
        Path("odd").mkdir()
        Path("odd/funnel.json").write_text("[]", encoding="utf-8")
        assert call(["data", "funnel", *arguments]) == code
        assert message in capfd.readouterr().err
        assert not Path("f.svg").exists()


def test_doctor_says_what_is_there(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["doctor", "--json"]) == 0
    findings = {one["what"]: one for one in json.loads(capfd.readouterr().out)}
    assert findings["VADER lexicon"]["ok"]
    assert findings["backend hf:"]["ok"] == findings["extra train"]["ok"]
    assert "torch" in findings["extra train"]["found"]
    for one in findings.values():
        assert one["ok"] or one["advice"]
