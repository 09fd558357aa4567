import json
from pathlib import Path

import pyarrow as pa
import pytest
import toy_stages

from sage_data.chat import Conversation, Message, Sampling
from sage_data.chat.scripted import ScriptedBackend
from sage_data.errors import ConfigError, InputError, MissingDependencyError, StageError
from sage_data.stage import Context, Counts, Inputs, Output, backend_files, derive_seed, load_stage, run_stage
from sage_data.store.folder import StageFolder
from sage_data.store.manifest import Manifest


def run(tmp_path: Path, seed: int = 0, name: str = "toy", **config: object) -> Manifest:
    return run_stage("toy_stages", config, {}, tmp_path / name, Context(seed=seed))


class TestRunStage:
    def test_writes_shards_rejects_counts_and_a_manifest(self, tmp_path: Path) -> None:
        manifest = run(tmp_path, rows=4, shards=2)
        assert manifest.counts == [Counts(unit="numbers", came_in=8, kept=4, dropped={"odd": 4})]
        assert [entry.path for entry in manifest.files] == [
            "model/weights.txt",
            "numbers-00000.parquet",
            "numbers-00001.parquet",
            "rejected/numbers-00000.parquet",
            "rejected/numbers-00001.parquet",
            "summary.txt",
        ]
        assert not (tmp_path / ".work" / "toy").exists()

    def test_fresh_is_not_run_again_and_any_change_is(self, tmp_path: Path) -> None:
        first = run(tmp_path, shards=2)
        stamp = (tmp_path / "toy" / "numbers-00000.parquet").stat().st_mtime_ns
        assert run(tmp_path, shards=2) == first
        assert (tmp_path / "toy" / "numbers-00000.parquet").stat().st_mtime_ns == stamp
        assert run(tmp_path, shards=3).fingerprint != first.fingerprint
        assert run(tmp_path, shards=2, seed=1).content_hash != first.content_hash

    def test_a_failed_attempt_keeps_its_shards_and_the_old_output(self, tmp_path: Path) -> None:
        old = run(tmp_path, shards=2)
        with pytest.raises(RuntimeError, match="planted"):
            run(tmp_path, shards=8, fail_at=5)
        assert StageFolder(tmp_path / "toy").manifest() == old
        work = tmp_path / ".work" / "toy"
        assert len(list(work.glob("numbers-*.parquet"))) == 5

    def test_resumed_equals_unbroken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        module = load_stage("toy_stages")
        whole = run(tmp_path, name="whole")
        config = module.Config()
        real = module.run

        def broken(given: object, inputs: Inputs, out: Output, context: Context) -> None:
            real(config.model_copy(update={"fail_at": 3}), inputs, out, context)

        monkeypatch.setattr(module, "run", broken)
        with pytest.raises(RuntimeError):
            run(tmp_path, name="broken")
        monkeypatch.setattr(module, "run", real)
        resumed = run(tmp_path, name="broken")
        assert (resumed.content_hash, resumed.counts) == (whole.content_hash, whole.counts)

    def test_a_move_cut_short_by_a_kill_is_finished_later(self, tmp_path: Path) -> None:
        done = run(tmp_path)
        folder = StageFolder(tmp_path / "toy")
        folder.work.parent.mkdir(exist_ok=True)
        folder.final.rename(folder.work)
        assert folder.manifest() == done
        assert not folder.final.exists(), "looking must not move anything"
        assert run(tmp_path) == done
        assert folder.final.is_dir()

    def test_a_kill_between_the_two_moves_leaves_nothing_behind(self, tmp_path: Path) -> None:
        run(tmp_path, shards=1)
        folder = StageFolder(tmp_path / "toy")
        newer = run(tmp_path, name="newer", shards=2)
        folder.work.parent.mkdir(exist_ok=True)
        folder.final.rename(folder.work.with_name("toy.old"))
        (tmp_path / "newer").rename(folder.work)
        folder.mend()
        assert folder.manifest() == newer
        assert list(folder.work.parent.iterdir()) == []

    def test_what_sage_did_not_write_is_never_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy" / "thesis.txt").write_text("years of work")
        with pytest.raises(ConfigError, match="holds something that sage did not write"):
            run(tmp_path)
        assert (tmp_path / "toy" / "thesis.txt").read_text() == "years of work"

    @pytest.mark.parametrize("out", ["in", "in/inner", "."])
    def test_the_output_may_not_replace_the_input(self, tmp_path: Path, out: str) -> None:
        run(tmp_path, name="in", shards=1)
        with pytest.raises(ConfigError, match=r"the output would replace|did not write"):
            run_stage("toy_stages", {}, {"numbers": [tmp_path / "in"]}, tmp_path / out)
        assert (tmp_path / "in" / "numbers-00000.parquet").is_file()

    def test_a_file_that_went_missing_is_made_again(self, tmp_path: Path) -> None:
        done = run(tmp_path, shards=2)
        (tmp_path / "toy" / "model" / "weights.txt").unlink()
        assert run(tmp_path, shards=2).content_hash == done.content_hash
        assert (tmp_path / "toy" / "model" / "weights.txt").is_file()

    def test_an_input_folder_that_lacks_a_shard_is_refused(self, tmp_path: Path) -> None:
        run(tmp_path, name="in", shards=3)
        (tmp_path / "in" / "numbers-00001.parquet").unlink()
        with pytest.raises(InputError, match=r"numbers-00001\.parquet is gone"):
            run_stage("toy_stages", {}, {"numbers": [tmp_path / "in"]}, tmp_path / "out")

    def test_again_keeps_the_old_output_until_the_new_one_is_done(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = run(tmp_path, shards=2)

        def broken(config: object, inputs: Inputs, out: Output, context: Context) -> None:
            raise RuntimeError("planted")

        monkeypatch.setattr(toy_stages, "run", broken)
        with pytest.raises(RuntimeError):
            run_stage("toy_stages", {"shards": 2}, {}, tmp_path / "toy", again=True)
        assert StageFolder(tmp_path / "toy").manifest() == old

    def test_a_missing_package_inside_run_is_said_in_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def needy(config: object, inputs: Inputs, out: Output, context: Context) -> None:
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

        monkeypatch.setattr(toy_stages, "run", needy)
        with pytest.raises(MissingDependencyError, match="needs the package 'torch'"):
            run(tmp_path)

    def test_inputs_are_checked_against_needs(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no input 'letters'"):
            run_stage("toy_stages", {}, {"letters": [tmp_path]}, tmp_path / "out")
        with pytest.raises(InputError, match="no such file"):
            run_stage("toy_stages", {}, {"numbers": [tmp_path / "nowhere"]}, tmp_path / "out")
        run(tmp_path, name="a", shards=1)
        run(tmp_path, name="b", shards=2)
        with pytest.raises(ConfigError, match="takes one 'numbers', found 2"):
            run_stage("toy_stages", {}, {"numbers": [tmp_path / "a", tmp_path / "b"]}, tmp_path / "out")

    def test_no_stage_module(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"no stage module 'sage_data\.gatez'"):
            load_stage("sage_data.gatez")
        with pytest.raises(ConfigError, match="is not a stage: it lacks VERSION"):
            load_stage("sage_data.errors")


class TestOutput:
    def test_counts_that_do_not_add_up_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match="do not add up"):
            Output(tmp_path).write_shard("n", 0, pa.table({"n": [1]}), counts=Counts(came_in=2, kept=1))


def test_a_local_backend_counts_by_its_content(tmp_path: Path) -> None:
    script = tmp_path / "answers.json"
    script.write_text("{}")
    first = backend_files({"judges": [{"uri": f"scripted:{script}"}], "other": "hf:@agent", "n": 1})
    script.write_text("[]")
    second = backend_files({"judges": [{"uri": f"scripted:{script}"}]})
    assert list(first) == list(second) == [f"scripted:{script}"]
    assert first != second


def test_a_run_never_repeats_a_finished_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "answers.json"
    script.write_text(json.dumps({"model": "m", "answers": [{"when": {"equals": "Hi"}, "say": ["Hello!"]}]}))
    question = [Conversation((Message("user", "Hi"),))]
    for _ in range(2):
        chat = Context(journal=tmp_path / "journal.sqlite").chat(f"scripted:{script}", Inputs({}))
        assert chat.generate(question, Sampling())[0][0].text == "Hello!"
        monkeypatch.setattr(ScriptedBackend, "generate", None)


def test_derived_seeds_depend_on_every_part() -> None:
    assert derive_seed(1, "a") == derive_seed(1, "a")
    assert len({derive_seed(1, "a"), derive_seed(1, "b"), derive_seed(2, "a"), derive_seed("1a")}) == 4
    assert 0 <= derive_seed("x") < 2**63
