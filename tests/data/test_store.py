import json
import multiprocessing
import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat.protocol import Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.errors import DamagedFileError, InputError, LockedError, SchemaVersionError
from sage_data.store.dialogues import from_table, read_dialogues, read_scenarios, scenarios_to_table, to_table
from sage_data.store.files import (
    TEMPORARY,
    atomic_path,
    clear_temporary,
    regular_files,
    sha256_json,
    sha256_outside,
    write_text,
)
from sage_data.store.journal import Journal, JournaledChat, call_key
from sage_data.store.lock import run_lock
from sage_data.store.manifest import SCHEMA_VERSION, Counts, content_hash, list_files, read_manifest
from sage_data.store.shards import read_counts, read_table, total_counts, write_table


class TestFiles:
    def test_a_failing_block_leaves_the_old_file_and_nothing_else(self, tmp_path: Path) -> None:
        target = tmp_path / "a.txt"
        write_text(target, "old")

        def write_and_fail() -> None:
            with atomic_path(target) as temporary:
                temporary.write_text("half")
                raise OSError("planted")

        with pytest.raises(OSError, match="planted"):
            write_and_fail()
        assert target.read_text() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    def test_a_folder_is_replaced_as_a_whole(self, tmp_path: Path) -> None:
        for text in ("one", "two"):
            with atomic_path(tmp_path / "model") as temporary:
                temporary.mkdir()
                (temporary / f"{text}.txt").write_text(text)
        assert [path.name for path in (tmp_path / "model").iterdir()] == ["two.txt"]

    def test_temporary_leftovers_are_invisible_and_cleared(self, tmp_path: Path) -> None:
        left = tmp_path / f"{TEMPORARY}99-a.parquet"
        left.write_text("half")
        (tmp_path / "b.txt").write_text("whole")
        (tmp_path / "link").symlink_to(tmp_path / "b.txt")
        assert [path.name for path in regular_files(tmp_path)] == ["b.txt"]
        clear_temporary(tmp_path)
        assert not left.exists()

    @given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
    def test_json_hash_ignores_key_order(self, value: dict[str, object]) -> None:
        assert sha256_json(value) == sha256_json(dict(reversed(value.items())))


class TestManifest:
    def test_counts_add_by_reason(self) -> None:
        one = Counts(unit="rows", came_in=5, kept=2, dropped={"a": 3})
        two = Counts(unit="rows", came_in=4, kept=1, dropped={"a": 1, "b": 1}, quarantined=1)
        both = one + two
        assert both == Counts(unit="rows", came_in=9, kept=3, dropped={"a": 4, "b": 1}, quarantined=1)
        assert both.adds_up()
        assert not Counts(came_in=3, kept=1).adds_up()
        with pytest.raises(ValueError, match="cannot add"):
            one + Counts(unit="files")

    def test_content_hash_sees_names_and_bytes_but_not_logs(self, tmp_path: Path) -> None:
        write_text(tmp_path / "a.txt", "x")
        first = content_hash(list_files(tmp_path))
        write_text(tmp_path / "logs" / "time.txt", "12:00")
        assert content_hash(list_files(tmp_path)) == first
        (tmp_path / "a.txt").rename(tmp_path / "b.txt")
        assert content_hash(list_files(tmp_path)) != first

    def test_content_hash_of_a_subfolder(self, tmp_path: Path) -> None:
        write_text(tmp_path / "in" / "a.txt", "x")
        write_text(tmp_path / "b.txt", "1")
        write_text(tmp_path / "into.txt", "1")
        below = content_hash(list_files(tmp_path), "in")
        write_text(tmp_path / "b.txt", "2")
        write_text(tmp_path / "into.txt", "2")
        assert content_hash(list_files(tmp_path), "in") == below
        assert content_hash(list_files(tmp_path), "in/a.txt") == below
        with pytest.raises(InputError, match="found none"):
            content_hash(list_files(tmp_path), "out")

    def test_outside_folders_are_hashed_through_links_and_with_hidden_files(self, tmp_path: Path) -> None:
        outside, folder = tmp_path / "blob", tmp_path / "model"
        folder.mkdir()
        write_text(outside, "one")
        (folder / "weights").symlink_to(outside)
        first = sha256_outside(folder)
        write_text(outside, "two")
        second = sha256_outside(folder)
        write_text(folder / ".hidden", "x")
        assert len({first, second, sha256_outside(folder)}) == 3

    def test_a_newer_schema_is_refused_with_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION + 1}))
        with pytest.raises(SchemaVersionError, match=f"schema {SCHEMA_VERSION + 1} is newer than {SCHEMA_VERSION}"):
            read_manifest(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": "x"}'])
    def test_a_damaged_manifest_names_its_file(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(InputError, match=r"manifest\.json: not a stage manifest"):
            read_manifest(tmp_path)


class TestShards:
    def test_counts_travel_in_the_shard(self, tmp_path: Path) -> None:
        counts = [Counts(unit="a", came_in=2, kept=2), Counts(unit="b", came_in=1, dropped={"x": 1})]
        write_table(tmp_path / "t-00000.parquet", pa.table({"n": [1, 2]}), counts)
        write_table(tmp_path / "t-00001.parquet", pa.table({"n": [3]}), counts[:1])
        assert read_counts(tmp_path / "t-00000.parquet") == counts
        assert total_counts(sorted(tmp_path.glob("*"))) == [counts[0] + counts[0], counts[1]]
        assert read_table(tmp_path, "t")["n"].to_pylist() == [1, 2, 3]

    def test_same_rows_same_bytes(self, tmp_path: Path) -> None:
        for name in "ab":
            write_table(tmp_path / name, pa.table({"n": ["x"] * 1000}))
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_missing_and_damaged_shards_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"expected files t-00000\.parquet"):
            read_table(tmp_path, "t")
        (tmp_path / "t-00000.parquet").write_bytes(b"PAR1 torn")
        with pytest.raises(DamagedFileError, match=r"t-00000\.parquet"):
            read_table(tmp_path, "t")
        with pytest.raises(DamagedFileError, match=r"t-00000\.parquet"):
            read_counts(tmp_path / "t-00000.parquet")


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
states = st.none() | st.builds(State, st.none() | words, st.none() | words, st.lists(words, max_size=3).map(tuple))
utterances = st.builds(Utterance, st.sampled_from(["user", "assistant"]), words, states, states, st.none() | words)
sources = st.builds(
    Source, words, st.none() | words, st.none() | words, st.none() | st.integers(0, 2**40), st.lists(words).map(tuple)
)
dialogues = st.builds(
    Dialogue, words, st.lists(utterances, max_size=4).map(tuple), sources, st.none() | words, st.none() | words
)


class TestDialogueTables:
    @given(st.lists(dialogues, max_size=4))
    def test_round_trip(self, some: list[Dialogue]) -> None:
        assert from_table(to_table(some)) == some

    def test_folders_are_read_in_order(self, tmp_path: Path) -> None:
        for index in (1, 0):
            write_table(tmp_path / f"dialogues-0000{index}.parquet", to_table([Dialogue(str(index), ())]))
        assert [one.id for one in read_dialogues(tmp_path)] == ["0", "1"]
        scenario = Scenario("hit:0_conv:1", "I won!", None, "dev")
        write_table(tmp_path / "scenarios-00000.parquet", scenarios_to_table([scenario]))
        assert list(read_scenarios(tmp_path)) == [scenario]


def _hold(path: str, ready: "multiprocessing.synchronize.Event") -> None:
    with run_lock(Path(path)):
        ready.set()
        os.kill(os.getpid(), 9)


class TestLock:
    def test_second_holder_is_refused_and_told_who_holds_it(self, tmp_path: Path) -> None:
        with run_lock(tmp_path / ".lock"):
            with pytest.raises(LockedError, match=f"process {os.getpid()}") as refused:
                with run_lock(tmp_path / ".lock"):
                    pass
            assert refused.value.exit_code == 5
        with run_lock(tmp_path / ".lock"):
            pass

    def test_a_killed_holder_releases_it(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        process = context.Process(target=_hold, args=(str(tmp_path / ".lock"), ready))
        process.start()
        assert ready.wait(30)
        process.join()
        with run_lock(tmp_path / ".lock"):
            pass


class CountingChat:
    """Answers with the last message in capitals; fails for the word "bad"; counts what it was asked."""

    identity = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(self, conversations: list[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        replies = []
        for conversation in conversations:
            text = conversation.messages[-1].content
            self.asked.append(text)
            status = CompletionStatus.API_ERROR if text == "bad" else CompletionStatus.OK
            replies.append([Completion(text.upper(), status, self.identity)] * n)
        return replies


def ask(*texts: str) -> list[Conversation]:
    return [Conversation((Message("user", text),)) for text in texts]


class TestJournal:
    def test_no_finished_call_is_repeated_and_failures_are(self, tmp_path: Path) -> None:
        real = CountingChat()
        for _ in range(2):
            journal = Journal(tmp_path / "journal.sqlite")
            chat = JournaledChat(real, journal)
            answers = chat.generate(ask("a", "bad", "b"), Sampling())
            assert [one[0].text for one in answers] == ["A", "BAD", "B"]
            journal.close()
        assert real.asked == ["a", "bad", "b", "bad"]

    def test_the_same_question_twice_in_a_batch_is_asked_once(self, tmp_path: Path) -> None:
        real = CountingChat()
        answers = JournaledChat(real, Journal(tmp_path / "journal.sqlite")).generate(ask("a", "a"), Sampling())
        assert [one[0].text for one in answers] == ["A", "A"]
        assert real.asked == ["a"]

    def test_failures_are_kept_apart(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path / "journal.sqlite")
        JournaledChat(CountingChat(), journal).generate(ask("a", "bad"), Sampling())
        ((failure,),) = journal.failures()
        assert failure.status is CompletionStatus.API_ERROR

    def test_any_difference_asks_again(self) -> None:
        one, other = ask("a", "b")
        keys = {
            call_key("m", one, Sampling(), 1),
            call_key("m2", one, Sampling(), 1),
            call_key("m", other, Sampling(), 1),
            call_key("m", one, Sampling(temperature=1), 1),
            call_key("m", one, Sampling(), 2),
            call_key("m", Conversation(one.messages, seed=1), Sampling(), 1),
        }
        assert len(keys) == 6
