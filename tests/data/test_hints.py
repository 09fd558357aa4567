"""What a stage says of its settings is said in options on the command line, and in the recipe's words elsewhere."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sage_data.cli.hints import in_options, rule_in_options
from sage_data.cli.lazy import LazyGroup
from sage_data.cli.main import call, cli
from sage_data.cli.stage_command import stage_command
from sage_data.errors import ConfigError
from sage_data.inputs import Need
from sage_data.stage import StageConfig
from sage_data.store.shards import WRITERS


class Config(StageConfig):
    """A few settings."""

    split: str = ""
    max_cost: float | None = None
    max_cost_hard: float | None = None
    offline: bool = True
    table: dict[str, str] | None = None


NEEDS = (Need("model", "a model"), Need("tokenizer", "a tokenizer", optional=True))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("choose another `split`", "choose another --split"),
        ("or set `offline: false`", "or set --no-offline"),
        ("`offline: true`", "--offline"),
        ("`max_cost: 3`", "--max-cost 3"),
        ("give the input `tokenizer`", "give the input --tokenizer"),
        ("give its base as `model`", "give its base as MODEL"),
        ("there is no input `model`", "there is no argument MODEL"),
        ("correct `table`", "correct --set table=..."),
        ("where `main` has changed, `split", "where `main` has changed, `split"),
    ],
)
def test_settings_and_inputs_become_options_and_the_rest_stays(said: str, shown: str) -> None:
    assert in_options(said, Config, NEEDS, ["table"]) == shown


def test_a_rule_names_options_by_whole_names() -> None:
    assert rule_in_options("max_cost needs max_cost_hard, split, max_costs", Config) == (
        "--max-cost needs --max-cost-hard, split, max_costs"
    )


def test_a_rule_of_a_config_is_said_in_options_on_the_command_line(tmp_path: Path) -> None:
    command = stage_command("annotate", "sage_data.annotation", "annotate", "")
    given = [str(tmp_path), "--out", str(tmp_path / "o"), "--annotator", "llm", "--model", "scripted:x"]
    result = CliRunner().invoke(command, [*given, "--max-cost", "1"])
    assert isinstance(result.exception, ConfigError)
    assert "--max-cost needs --input-price and --output-price" in str(result.exception)


def test_bench_says_how_to_allow_the_network_and_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lm_eval")
    bench = ["eval", "bench", "--model-uri", "hf:nobody/nothing", "--names", "piqa", "-q", "--out", str(tmp_path / "o")]
    assert call(bench) == 1
    assert "or allow the network: --no-offline" in capsys.readouterr().err
    command = stage_command("bench", "sage_eval.bench", "bench", "")
    shown = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "--offline / --no-offline" in shown
    assert "[default: True]" in shown


def test_a_folder_without_the_table_is_answered_with_the_commands_that_write_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "note.txt").write_text("nothing")
    assert call(["eval", "significance", str(tmp_path / "empty"), "-q", "--out", str(tmp_path / "o")]) == 1
    assert "next: give the --out folder of `sage eval judge`" in capsys.readouterr().err


def test_every_command_that_a_missing_table_names_is_there() -> None:
    for said in WRITERS.values():
        for group, name in re.findall(r"`sage (\w+) (\w+)`", said):
            entry = cli.get_command(click.Context(cli), group)
            assert isinstance(entry, LazyGroup)
            assert name in entry.list_commands(click.Context(entry))
