import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import toy_stages

from sage_data.chat import Conversation, Message, Sampling
from sage_data.chat.scripted import ScriptedBackend
from sage_data.errors import ConfigError, InputError, MissingDependencyError, StageError
from sage_data.inputs import Input, resolve_input
from sage_data.stage import (
    Context,
    Counts,
    Inputs,
    Need,
    Origin,
    Output,
    StageConfig,
    backend_files,
    counted_config,
    derive_seed,
    load_stage,
    run_stage,
)
from sage_data.store.folder import StageFolder
from sage_data.store.journal import JournaledChat
from sage_data.store.manifest import Manifest, read_manifest, write_manifest


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


def test_one_input_needs_no_list_and_paths_may_be_text(tmp_path: Path) -> None:
    run(tmp_path, name="first", shards=1)
    plain = run_stage("toy_stages", {"shards": 1}, {"numbers": str(tmp_path / "first")}, str(tmp_path / "plain"))
    listed = run_stage("toy_stages", {"shards": 1}, {"numbers": [tmp_path / "first"]}, tmp_path / "listed")
    assert plain.fingerprint == listed.fingerprint


class TestVolatileSettings:
    """Fields that change how a stage runs and none of its bytes."""

    @pytest.fixture(autouse=True)
    def toy_with_a_volatile_pause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Config(toy_stages.Config):
            volatile: ClassVar[frozenset[str]] = frozenset({"pause_s", "fail_at"})

        monkeypatch.setattr(toy_stages, "Config", Config)

    def test_changing_one_leaves_a_finished_stage_fresh(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = run(tmp_path, shards=2)
        assert first.config == {"rows": 40, "shards": 2}
        monkeypatch.setattr(toy_stages, "run", None)
        assert run(tmp_path, shards=2, pause_s=0.001) == first

    def test_an_interrupted_attempt_is_gone_on_with(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="planted"):
            run(tmp_path, shards=8, fail_at=5)
        stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / ".work/toy").glob("numbers-*")}
        assert len(stamps) == 5
        run(tmp_path, shards=8, pause_s=0.001)
        assert {name: (tmp_path / "toy" / name).stat().st_mtime_ns for name in stamps} == stamps

    def test_a_name_that_is_no_field_is_refused(self) -> None:
        with pytest.raises(TypeError, match="volatile names no field: wrokers"):

            class Config(StageConfig):
                volatile: ClassVar[frozenset[str]] = frozenset({"wrokers"})
                workers: int = 1


class TestFailures:
    """What a stage could not do although it finished."""

    def test_they_are_kept_in_the_manifest_of_a_finished_stage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = run(tmp_path, name="whole", shards=1)
        real = toy_stages.run

        def failing(config: toy_stages.Config, inputs: Inputs, out: Output, context: Context) -> None:
            real(config, inputs, out, context)
            out.fail("dump 3 ended early")

        monkeypatch.setattr(toy_stages, "run", failing)
        manifest = run(tmp_path, shards=1)
        assert manifest.failures == ["dump 3 ended early"]
        assert manifest.content_hash == whole.content_hash
        monkeypatch.setattr(toy_stages, "run", None)
        assert run(tmp_path, shards=1) == manifest, "it is fresh"

    def test_manifests_from_before_still_load(self, tmp_path: Path) -> None:
        manifest = run(tmp_path, shards=1)
        write_manifest(tmp_path / "toy", manifest)
        path = tmp_path / "toy" / "manifest.json"
        old = json.loads(path.read_text())
        del old["failures"]
        path.write_text(json.dumps(old))
        assert read_manifest(tmp_path / "toy") == manifest


REMOTE = Need("dumps", "dumps", many=True, remote=True)


class TestRemoteInputs:
    """Inputs behind URLs, on fsspec's file system in memory."""

    @pytest.fixture(autouse=True)
    def memory(self) -> Iterator[None]:
        self.files = fsspec.filesystem("memory")
        self.files.pipe("/dumps/RC_2005-12.jsonl", b"{}")
        self.files.pipe("/dumps/more/RC_2006-01.jsonl", b"{}\n{}")
        yield
        self.files.rm("/dumps", recursive=True)

    def test_a_file_and_a_folder(self) -> None:
        file = resolve_input("memory://dumps/RC_2005-12.jsonl", REMOTE)
        assert (file.label, file.url) == ("RC_2005-12.jsonl", "memory://dumps/RC_2005-12.jsonl")
        assert file.location == file.url
        folder = resolve_input("memory://dumps/", REMOTE)
        assert (folder.label, folder.location) == ("dumps", "memory://dumps/")
        assert folder.fingerprint != file.fingerprint
        assert resolve_input("memory://dumps", REMOTE).fingerprint == folder.fingerprint
        assert Input(Path("a/b"), "b", "").location == str(Path("a/b"))

    def test_a_pattern_stands_for_the_files_it_matches(self) -> None:
        before = resolve_input("memory://dumps/RC_*", REMOTE)
        self.files.pipe("/dumps/RS_2005-12.jsonl", b"")
        assert resolve_input("memory://dumps/RC_*", REMOTE) == before
        self.files.pipe("/dumps/RC_2006-02.jsonl", b"")
        assert resolve_input("memory://dumps/RC_*", REMOTE) != before
        with pytest.raises(InputError, match="no such file"):
            resolve_input("memory://dumps/XX_*", REMOTE)

    def test_a_change_below_is_seen_and_content_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self.files), "_open", None)
        before = resolve_input("memory://dumps/", REMOTE).fingerprint
        assert resolve_input("memory://dumps/", REMOTE).fingerprint == before
        monkeypatch.undo()
        self.files.pipe("/dumps/more/RC_2006-01.jsonl", b"{}\n[]")
        changed = resolve_input("memory://dumps/", REMOTE).fingerprint
        self.files.pipe("/dumps/RC_2006-02.jsonl", b"")
        assert len({before, changed, resolve_input("memory://dumps/", REMOTE).fingerprint}) == 3

    def test_the_strongest_mark_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def info(etag: str, written: int) -> str:
            entry = {"name": "x", "type": "file", "size": 3, "ETag": etag, "LastModified": written}
            monkeypatch.setattr(type(self.files), "info", lambda *_: entry)
            return resolve_input("memory://dumps/x", REMOTE).fingerprint

        assert info("a", 1) == info("a", 2)
        assert info("a", 1) != info("b", 1)

    @pytest.mark.parametrize(
        ("url", "need", "error", "message"),
        [
            ("memory://dumps/gone.zst", REMOTE, InputError, "memory://dumps/gone.zst: no such file"),
            ("nosuch://dumps/", REMOTE, ConfigError, "nosuch://dumps/: no file system"),
            ("memory://dumps/", Need("numbers", "n"), ConfigError, "expected a local path"),
            ("memory://dumps/", None, ConfigError, "expected a local path"),
            ("ftp://me:secret@host/dumps/", REMOTE, ConfigError, "may not hold a password"),
            ("nowhere/RC.zst", REMOTE, InputError, "nowhere/RC.zst: no such file"),
        ],
    )
    def test_what_cannot_be_read_is_named(
        self, url: str, need: Need | None, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message) as caught:
            resolve_input(url, need)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "advice"), [("s3://b/x", r"pip install 'sage-dialogue\[s3\]'"), ("gs://b/x", "gcsfs")]
    )
    def test_a_missing_file_system_says_how_to_get_it(
        self, url: str, advice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(url: str) -> None:
            raise ImportError("Please install gcsfs to access Google Storage")

        monkeypatch.setattr("fsspec.core.url_to_fs", missing)
        with pytest.raises(MissingDependencyError, match=advice):
            resolve_input(url, REMOTE)

    def test_errors_of_the_file_system_name_the_url(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*_: object) -> None:
            raise RuntimeError("no credentials")

        monkeypatch.setattr(type(self.files), "info", refused)
        with pytest.raises(InputError, match="memory://dumps/: cannot be looked at: no credentials"):
            resolve_input("memory://dumps/", REMOTE)

    def test_a_stage_is_fresh_until_the_remote_file_changes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []

        def reading(config: object, inputs: Inputs, out: Output, context: Context) -> None:
            seen.extend(one.location for one in inputs.many("dumps"))
            out.write_text("summary.txt", "read")

        monkeypatch.setattr(toy_stages, "INPUTS", (REMOTE,))
        monkeypatch.setattr(toy_stages, "run", reading)
        monkeypatch.chdir(tmp_path)
        given = {"dumps": ["memory://dumps/RC_2005-12.jsonl"]}
        # A remote input's bare name is no path: an output of that name does not replace it.
        final = tmp_path / "RC_2005-12.jsonl"
        manifest = run_stage("toy_stages", {}, given, final)
        assert run_stage("toy_stages", {}, given, final) == manifest
        assert len(seen) == 1
        self.files.pipe("/dumps/RC_2005-12.jsonl", b"[]")
        assert run_stage("toy_stages", {}, given, final) != manifest
        assert seen == given["dumps"] * 2


class TestProvenance:
    """Where rows come from is known through every stage."""

    CORPUS = Origin(name="a corpus", license="cc-by-nc-4.0")

    @pytest.fixture(autouse=True)
    def _numbers_of_a_corpus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        numbers = Need("numbers", "folder of numbers", optional=True, origin=self.CORPUS)
        monkeypatch.setattr(toy_stages, "INPUTS", (numbers,))

    def test_an_outside_input_brings_its_origin_and_a_stage_hands_it_on(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        pq.write_table(pa.table({"n": [1]}), outside / "numbers-00000.parquet")
        first = run_stage("toy_stages", {"shards": 1}, {"numbers": [outside]}, tmp_path / "first")
        second = run_stage("toy_stages", {"shards": 1}, {"numbers": [tmp_path / "first"]}, tmp_path / "second")
        assert first.origins == second.origins == [self.CORPUS]
        assert [one.stage for one in first.lineage] == []
        assert [(one.stage, one.counts) for one in second.lineage] == [("first", first.counts)]

    def test_a_folder_inside_a_stage_counts_as_made_by_it(self, tmp_path: Path) -> None:
        made = run(tmp_path, name="world", shards=1)
        (tmp_path / "world" / "model" / "numbers-00000.parquet").write_bytes(
            (tmp_path / "world" / "numbers-00000.parquet").read_bytes()
        )
        inside = run_stage("toy_stages", {"shards": 1}, {"numbers": [tmp_path / "world" / "model"]}, tmp_path / "next")
        assert inside.origins == []
        assert [one.fingerprint for one in inside.lineage] == [made.fingerprint]

    def test_every_stage_above_stands_once_and_before_its_readers(self, tmp_path: Path) -> None:
        run(tmp_path, name="a", shards=1)
        for name, read in (("b", "a"), ("c", "b"), ("d", "c")):
            run_stage("toy_stages", {"shards": 1}, {"numbers": [tmp_path / read]}, tmp_path / name)
        last = read_manifest(tmp_path / "d")
        assert last is not None
        assert [one.stage for one in last.lineage] == ["a", "b", "c"]

    def test_reading_what_is_not_whole_is_a_warning(self, tmp_path: Path) -> None:
        run(tmp_path, name="a", shards=1)
        made = read_manifest(tmp_path / "a")
        assert made is not None
        write_manifest(tmp_path / "a", made.model_copy(update={"failures": ["RC_2006-01.zst: cut short"]}))
        read = run_stage("toy_stages", {"shards": 1}, {"numbers": [tmp_path / "a"]}, tmp_path / "b")
        assert read.warnings == ["what it reads is not whole: a: RC_2006-01.zst: cut short"]
        assert read.lineage[0].failures == ["RC_2006-01.zst: cut short"]

    def test_an_origin_of_a_stage_s_own_is_kept_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def made_here(config: object, inputs: Inputs, out: Output, context: Context) -> None:
            out.add_origin(self.CORPUS)
            out.add_origin(self.CORPUS)
            out.write_text("summary.txt", "")

        monkeypatch.setattr(toy_stages, "run", made_here)
        assert run(tmp_path).origins == [self.CORPUS]


class TestOutput:
    def test_counts_that_do_not_add_up_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match="do not add up"):
            Output(tmp_path).write_shard("n", 0, pa.table({"n": [1]}), counts=Counts(came_in=2, kept=1))


def test_rejects_of_an_attempt_that_died_do_not_outlive_it(tmp_path: Path) -> None:
    out = Output(tmp_path)
    # What is left when the disk is full between the rejects and their shard.
    pq.write_table(pa.table({"n": [1]}), tmp_path / "before.parquet")
    (tmp_path / "rejected").mkdir()
    (tmp_path / "before.parquet").rename(tmp_path / "rejected" / "n-00000.parquet")
    out.write_shard("n", 0, pa.table({"n": [1]}), counts=Counts(came_in=1, kept=1))
    assert not (tmp_path / "rejected" / "n-00000.parquet").exists()


def test_a_folder_that_has_a_remote_model_s_name_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "weights").write_text("x")
    assert backend_files({"model": "openai:tiny"}) == {}
    assert list(backend_files({"model": "hf:tiny"})) == ["hf:tiny"]


def test_a_local_backend_counts_by_its_content(tmp_path: Path) -> None:
    script = tmp_path / "answers.json"
    script.write_text("{}")
    first = backend_files({"judges": [{"uri": f"scripted:{script}"}], "other": "hf:@agent", "n": 1})
    script.write_text("[]")
    second = backend_files({"judges": [{"uri": f"scripted:{script}"}]})
    assert list(first) == list(second) == [f"scripted:{script}"]
    assert first != second


class TestAddresses:
    """Where a model is served is nobody's business but the run's."""

    class Config(StageConfig):
        judges: tuple[dict[str, str], ...] = ()
        model: str | None = None

    def test_only_what_decides_the_answers_counts(self) -> None:
        def counted(url: str) -> dict[str, object]:
            return counted_config(self.Config(model=url, judges=({"uri": url},)))

        here = counted("openai:org/m@http://127.0.0.1:8000/v1?concurrency=4&top_p=0.9")
        assert here == counted("openai:org/m@https://elsewhere.example/v1,http://b.example/v1?top_p=0.9")
        assert here == {"model": "openai:org/m?top_p=0.9", "judges": [{"uri": "openai:org/m?top_p=0.9"}]}
        assert here != counted("openai:org/m@http://127.0.0.1:8000/v1?top_p=0.8")
        assert counted_config(self.Config(model="hf:@agent"))["model"] == "hf:@agent"

    def test_nothing_is_kept_of_an_address_with_a_key(self) -> None:
        given = self.Config(model="openai:m@http://user:hunter2@host/v1")
        assert counted_config(given)["model"] == "openai:"


def test_backends_are_closed_with_their_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "answers.json"
    script.write_text(json.dumps({"answers": [{"say": ["Hello!"]}]}))
    closed: list[object] = []
    monkeypatch.setattr(JournaledChat, "close", lambda self: closed.append("closed"))

    def asking(config: object, inputs: Inputs, out: Output, context: Context) -> None:
        context.chat(f"scripted:{script}", inputs)
        raise RuntimeError("planted failure")

    monkeypatch.setattr(toy_stages, "run", asking)
    with pytest.raises(RuntimeError, match="planted"):
        run_stage("toy_stages", {}, {}, tmp_path / "out", Context(journal=tmp_path / "journal.sqlite"))
    assert len(closed) == 1


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
