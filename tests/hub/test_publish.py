"""`sage data publish` with the true client against a Hub of our own: one commit, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hub_folders import dialogues, write_folder
from localhub import Fault, LocalHub
from publications import DATA, REPO, STAGED, Publish, main_shows, receipt

from sage_data.errors import PublishError
from sage_data.publishing.hub import title_of
from sage_data.publishing.staging import read_files
from sage_data.store.shards import read_table

for package in ("huggingface_hub", "datasets", "jinja2"):
    pytest.importorskip(package)


def test_merge_is_the_one_change_of_main(hub: LocalHub, publish: Publish, tmp_path: Path, unloaded: list[str]) -> None:
    publish(merge=True)

    assert main_shows(hub) == [set(), STAGED]
    repo = hub.repo(REPO)
    assert repo.private
    assert len(repo.pulls) == 1
    written = receipt(tmp_path)
    assert (written["status"], written["pull_request"]) == ("merged", 1)
    assert written["revision"] == repo.resolve("main")
    assert unloaded == [repo.refs["refs/pr/1"]]
    staged = tmp_path / "published" / "out0" / "dataset"
    for path, blob in repo.files().items():
        if path in STAGED:
            assert blob.data == (staged / path).read_bytes()
            assert blob.sha256 == written["files"][path]


def test_without_merge_main_stays_and_a_second_run_can_merge(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    publish()
    assert main_shows(hub) == [set()]
    assert receipt(tmp_path)["status"] == "proposed"
    publish()
    assert len(hub.repo(REPO).pulls) == 1
    publish(merge=True)
    assert main_shows(hub) == [set(), STAGED]
    assert [pull.status for pull in hub.repo(REPO).pulls] == ["merged"]
    assert len(hub.asked("POST", "/commit/")) == 1


def test_how_the_source_was_cut_into_shards_changes_no_byte(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    rows = dialogues(20)
    again = write_folder(tmp_path / "other" / "annotated", [rows.slice(0, 3), rows.slice(3, 1), rows.slice(4)])
    publish(dry_run=True)
    publish(again, dry_run=True)
    first, second = (tmp_path / "published" / name / "dataset" / DATA for name in ("out0", "out1"))
    assert first.read_bytes() == second.read_bytes()


def test_published_before_is_said(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    publish(merge=True)
    commits = len(hub.repo(REPO).commits)
    publish(merge=True)
    staged = [tmp_path / "published" / name / "dataset" for name in ("out0", "out1")]
    assert all((staged[0] / path).read_bytes() == (staged[1] / path).read_bytes() for path in STAGED)
    assert receipt(tmp_path, "out1")["status"] == "published before"
    assert "already published" in (tmp_path / "published" / "out1" / "summary.txt").read_text()
    assert len(hub.repo(REPO).commits) == commits


def test_dry_run_asks_nothing(hub: LocalHub, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    publish(dry_run=True)
    assert hub.seen == []
    out = tmp_path / "published" / "out0"
    assert {path.relative_to(out / "dataset").as_posix() for path in out.rglob("dataset/**/*.*")} == STAGED
    assert receipt(tmp_path)["status"] == "planned"
    assert "dry run" in (out / "summary.txt").read_text()


FAULTS = {
    "409": [Fault("POST", "/commit/", status=409)],
    "412": [Fault("POST", "/commit/", status=412, times=2)],
    "429": [Fault("POST", "/commit/", status=429, headers={"Retry-After": "30"})],
    "503": [Fault("POST", "/commit/", status=503, times=3)],
    "lost": [Fault("POST", "/commit/", lost=True)],
    "merge lost": [Fault("POST", "/merge", lost=True)],
}
MORE_FAULTS = {
    "dropped": [Fault("POST", "/commit/", dropped=True)],
    "lost, then down": [Fault("POST", "/commit/", lost=True), Fault("GET", "/discussions", status=503, after=1)],
    "create": [Fault("POST", "/repos/create", status=429), Fault("POST", "/repos/create", lost=True)],
    "preupload": [Fault("POST", "/preupload/", status=503, times=2)],
    "yaml": [Fault("POST", "/validate-yaml", dropped=True)],
    "tree": [Fault("GET", "/tree/", status=503, times=2)],
    "info": [Fault("GET", "/api/datasets/me/talk$", status=502)],
    "resolve": [Fault("GET", "/resolve/", status=503, times=2)],
    "merge 503": [Fault("POST", "/merge", status=503, times=2)],
    "merge dropped": [Fault("POST", "/merge", dropped=True)],
}


@pytest.mark.parametrize(
    "faults",
    [pytest.param(faults, id=name) for name, faults in FAULTS.items()]
    + [pytest.param(faults, id=name, marks=pytest.mark.slow) for name, faults in MORE_FAULTS.items()],
)
def test_publishes_once_through_faults(
    hub: LocalHub, publish: Publish, waits: list[float], faults: list[Fault]
) -> None:
    hub.faults += [Fault(**vars(fault)) for fault in faults]
    publish(merge=True)

    assert not [fault for fault in hub.faults if fault.times], "every fault was met"
    assert main_shows(hub) == [set(), STAGED]
    assert [pull.status for pull in hub.repo(REPO).pulls] == ["merged"]
    assert (30 in waits) == any("Retry-After" in fault.headers for fault in faults)


def test_large_files_by_lfs_through_faults(hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    hub.faults += [
        Fault("POST", "/objects/batch", status=503),
        Fault("PUT", "/lfs/", status=429, headers={"Retry-After": "0"}),
        Fault("PUT", "/lfs/", dropped=True),
        Fault("POST", "/verify", status=500),
    ]
    publish(merge=True)
    assert all(fault.times == 0 for fault in hub.faults)
    assert main_shows(hub) == [set(), STAGED]


@pytest.mark.slow  # its client waits by itself, for seconds
def test_xet_token_that_is_refused_for_a_while(hub: LocalHub, publish: Publish) -> None:
    hub.faults.append(Fault("GET", "/xet-write-token/", status=503, times=2))
    publish(merge=True)
    assert main_shows(hub) == [set(), STAGED]


def test_hub_that_stays_down_is_given_up(hub: LocalHub, publish: Publish, waits: list[float]) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=503, times=1000))
    with pytest.raises(PublishError, match="503"):
        publish(merge=True)
    assert len(hub.asked("POST", "/commit/")) == len(waits) + 1 == 8
    assert waits == sorted(waits)
    assert main_shows(hub) == [set()]


def test_longest_wait_that_is_honoured(hub: LocalHub, publish: Publish, waits: list[float]) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=429, headers={"Retry-After": "86400"}))
    with pytest.raises(PublishError, match="asks to wait 86400 s"):
        publish()
    assert waits == []


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_refusal_is_not_repeated(hub: LocalHub, publish: Publish, waits: list[float], status: int) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=status, times=1000))
    with pytest.raises(PublishError, match=str(status)):
        publish()
    assert len(hub.asked("POST", "/commit/")) == 1
    assert waits == []


def test_interrupted_run_is_gone_on_with(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    hub.faults.append(Fault("POST", "/merge", status=403))
    with pytest.raises(PublishError, match="403"):
        publish(out="same", merge=True)
    staged = (tmp_path / "published" / ".work" / "same" / "dataset" / DATA).stat().st_ino
    publish(out="same", merge=True)
    assert (tmp_path / "published" / "same" / "dataset" / DATA).stat().st_ino == staged
    assert len(hub.repo(REPO).pulls) == 1
    assert main_shows(hub) == [set(), STAGED]


def test_download_that_differs_is_never_merged(
    hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    real = HfApi.hf_hub_download

    def damaged(self: Any, *args: Any, **options: Any) -> str:
        path = Path(real(self, *args, **options))
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        return str(path)

    monkeypatch.setattr(HfApi, "hf_hub_download", damaged)
    with pytest.raises(PublishError, match="SHA-256"):
        publish(merge=True)
    assert main_shows(hub) == [set()]


def test_pull_request_of_the_same_title_with_other_files_is_not_taken(
    hub: LocalHub, api: Any, publish: Publish, tmp_path: Path
) -> None:
    from huggingface_hub import CommitOperationAdd

    publish(dry_run=True)
    files = read_files(read_table(tmp_path / "published" / "out0", "files"))
    api.create_repo(REPO, repo_type="dataset", private=True)
    wrong = [CommitOperationAdd("README.md", b"# Something else\n")]
    api.create_commit(REPO, wrong, commit_message=title_of(files), repo_type="dataset", create_pr=True)

    publish(merge=True)
    assert [pull.status for pull in hub.repo(REPO).pulls] == ["open", "merged"]
    assert main_shows(hub) == [set(), STAGED]


def test_pull_request_made_before_main_changed_is_made_anew(
    hub: LocalHub, publish: Publish, tmp_path: Path, waits: list[float]
) -> None:
    newer = write_folder(tmp_path / "newer" / "annotated", [dialogues(7)])
    publish()
    publish(newer, merge=True)
    publish(merge=True)
    assert [pull.status for pull in hub.repo(REPO).pulls] == ["closed", "merged", "merged"]
    assert hub.repo(REPO).files()[DATA].data == (tmp_path / "published" / "out0" / "dataset" / DATA).read_bytes()
    assert waits == []


def test_merge_that_conflicts_is_final_and_says_what_to_do(hub: LocalHub, publish: Publish, waits: list[float]) -> None:
    hub.faults.append(Fault("POST", "/merge", status=409))
    with pytest.raises(PublishError, match="pull request 1 cannot be merged") as error:
        publish(merge=True)
    assert "run the same command again" in str(error.value.next_step)
    assert len(hub.asked("POST", "/merge")) == 1
    assert waits == []
    publish(merge=True)
    assert main_shows(hub) == [set(), STAGED]


def test_data_of_an_earlier_version_does_not_stay(hub: LocalHub, publish: Publish, tmp_path: Path, api: Any) -> None:
    publish(merge=True)
    api.upload_file(path_or_fileobj=b"mine", path_in_repo="notes.txt", repo_id=REPO, repo_type="dataset")
    other = write_folder(tmp_path / "renamed", [dialogues(3)])
    publish(other, merge=True)
    assert main_shows(hub)[-1] == {"README.md", "funnel.svg", "notes.txt", "renamed/train-00000-of-00001.parquet"}
