"""The Hub in `localhub` answers the true clients as the true Hub does, as far as publishing goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from localhub import Fault, LocalHub, xet

pytest.importorskip("huggingface_hub")

REPO = "me/talk"


def add(name: str, data: bytes) -> Any:
    from huggingface_hub import CommitOperationAdd

    return CommitOperationAdd(name, data)


def commit(api: Any, *operations: Any, **options: Any) -> Any:
    options = {"commit_message": "a change", "repo_type": "dataset", **options}
    return api.create_commit(REPO, list(operations), **options)


@pytest.fixture
def repo(api: Any) -> str:
    api.create_repo(REPO, repo_type="dataset", private=True)
    return REPO


@pytest.fixture(params=["xet", "lfs"])
def upload(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way large files take."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", request.param == "lfs")
    return str(request.param)


def test_private_repository_is_seen_with_the_token_alone(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    assert api.dataset_info(repo).private is True
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.endpoint, token=False).dataset_info(repo)
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=hub.endpoint, token="hf_other").create_repo("me/more", repo_type="dataset")
    assert api.whoami()["name"] == "tester"
    api.delete_repo(repo, repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(repo)


def test_large_file_comes_back_either_way(hub: LocalHub, api: Any, repo: str, upload: str, tmp_path: Path) -> None:
    data = os.urandom(300_000) + b"the same words again " * 40_000
    made = commit(api, add("a/train.parquet", data), add("empty.txt", b""))

    assert hub.repo(repo).files()["a/train.parquet"].data == data
    path = api.hf_hub_download(
        repo, "a/train.parquet", repo_type="dataset", revision=made.oid, local_dir=tmp_path / "d"
    )
    assert Path(path).read_bytes() == data
    asked = "xet-write-token" if upload == "xet" else "/lfs/"
    assert any(asked in one.path for one in hub.seen)
    # The same content again needs no upload and makes no commit.
    assert commit(api, add("a/train.parquet", data)).oid == made.oid


def test_a_space_is_a_repository_of_its_own(hub: LocalHub, api: Any, repo: str, tmp_path: Path) -> None:
    """A Space may have the name of a dataset; only static ones are made, and only when that is said."""
    from huggingface_hub.errors import HfHubHTTPError

    with pytest.raises(HfHubHTTPError, match="only static"):
        api.create_repo(REPO, repo_type="space", space_sdk="gradio")
    api.create_repo(REPO, repo_type="space", space_sdk="static", private=True)
    made = commit(api, add("index.html", b"<p>Hello.</p>"), repo_type="space", create_pr=True)
    assert (made.pr_num, api.space_info(REPO).sdk, api.space_info(REPO).private) == (1, "static", True)
    path = api.hf_hub_download(REPO, "index.html", repo_type="space", revision="refs/pr/1", local_dir=tmp_path / "d")
    assert Path(path).read_bytes() == b"<p>Hello.</p>"
    api.merge_pull_request(REPO, 1, repo_type="space")
    assert sorted(hub.repo(f"spaces/{REPO}").files()) == [".gitattributes", "index.html"]
    assert sorted(hub.repo(REPO).files()) == [".gitattributes"]


def test_part_of_a_file_can_be_read(hub: LocalHub, api: Any, repo: str, upload: str) -> None:
    from huggingface_hub import HfFileSystem

    data = bytes(range(256)) * 1000
    commit(api, add("train.parquet", data))
    with HfFileSystem(endpoint=hub.endpoint, token=hub.token).open(f"datasets/{repo}/train.parquet") as file:
        file.seek(100_000)
        assert file.read(10) == data[100_000:100_010]
        file.seek(-5, 2)
        assert file.read() == data[-5:]


def test_commit_on_a_moved_parent_is_refused(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    first = api.dataset_info(repo).sha
    commit(api, add("one.txt", b"1"), parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="412"):
        commit(api, add("two.txt", b"2"), parent_commit=first)
    assert sorted(hub.repo(repo).files()) == [".gitattributes", "one.txt"]


def test_content_that_was_never_uploaded_cannot_be_committed(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub.errors import BadRequestError

    operation = add("train.parquet", b"PAR1")
    operation._upload_mode, operation._is_uploaded = "lfs", True
    with pytest.raises(BadRequestError, match="never uploaded"):
        commit(api, operation)


def test_pull_request_leaves_main_alone_until_it_is_merged(hub: LocalHub, api: Any, repo: str) -> None:
    made = commit(api, add("one.txt", b"1"), create_pr=True)
    assert (made.pr_num, made.pr_revision) == (1, "refs/pr/1")
    assert sorted(hub.repo(repo).files()) == [".gitattributes"]
    commit(api, add("two.txt", b"2"))

    (listed,) = api.get_repo_discussions(repo, repo_type="dataset", discussion_status="open")
    assert (listed.num, listed.title, listed.status) == (1, "a change", "open")
    api.merge_pull_request(repo, 1, repo_type="dataset")

    assert sorted(hub.repo(repo).files()) == [".gitattributes", "one.txt", "two.txt"]
    assert api.get_discussion_details(repo, 1, repo_type="dataset").status == "merged"
    assert [one.title for one in api.list_repo_commits(repo, repo_type="dataset")] == [
        "a change (#1)",
        "a change",
        "initial commit",
    ]
    refs = api.list_repo_refs(repo, repo_type="dataset", include_pull_requests=True)
    assert [one.ref for one in refs.pull_requests] == ["refs/pr/1"]


def test_conflicting_pull_request_is_not_merged(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    commit(api, add("one.txt", b"1"), create_pr=True)
    commit(api, add("one.txt", b"another"))
    with pytest.raises(HfHubHTTPError, match="409"):
        api.merge_pull_request(repo, 1, repo_type="dataset")
    assert hub.repo(repo).files()["one.txt"].data == b"another"


@pytest.mark.usefixtures("hub")
def test_tree_is_listed_page_by_page(tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    with LocalHub(tmp_path, page=3) as hub:
        api = HfApi(endpoint=hub.endpoint, token=hub.token)
        api.create_repo(REPO, repo_type="dataset", private=True)
        commit(api, *(add(f"a/b/{number}.txt", b"%d" % number) for number in range(4)))
        found = [one.path for one in api.list_repo_tree(REPO, repo_type="dataset", recursive=True, expand=True)]
        assert found == [".gitattributes", "a", "a/b", "a/b/0.txt", "a/b/1.txt", "a/b/2.txt", "a/b/3.txt"]
        assert len(hub.asked("GET", "/tree/")) == 3
        (one, two) = api.get_paths_info(REPO, ["a", "a/b/1.txt"], repo_type="dataset")
        assert (one.path, two.path, two.size) == ("a", "a/b/1.txt", 1)


def test_files_and_folders_can_be_deleted(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub.errors import EntryNotFoundError

    commit(api, add("a/one.txt", b"1"), add("a/two.txt", b"2"), add("three.txt", b"3"))
    api.delete_file("three.txt", repo, repo_type="dataset")
    api.delete_folder("a", repo, repo_type="dataset")
    assert sorted(hub.repo(repo).files()) == [".gitattributes"]
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo, "three.txt", repo_type="dataset")


def test_front_matter_that_is_no_yaml_is_refused(api: Any, repo: str) -> None:
    with pytest.raises(ValueError, match="Invalid metadata"):
        commit(api, add("README.md", b"---\nlicense: [mit\n---\n# Talk\n"))


def test_faults_strike_as_scheduled(hub: LocalHub, api: Any, repo: str) -> None:
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx

    hub.faults += [Fault("POST", "/commit/", status=429, headers={"Retry-After": "7"}, after=1)]
    commit(api, add("one.txt", b"1"))
    with pytest.raises(HfHubHTTPError, match="429") as error:
        commit(api, add("two.txt", b"2"))
    assert error.value.response.headers["Retry-After"] == "7"

    hub.faults += [Fault("POST", "/commit/", dropped=True), Fault("POST", "/commit/", lost=True)]
    for done in (False, True):
        with pytest.raises(httpx.RemoteProtocolError):
            commit(api, add("two.txt", b"2"))
        assert ("two.txt" in hub.repo(repo).files()) is done


def test_chunks_of_every_packing_are_read() -> None:
    import pyarrow as pa

    plain = bytes(range(250)) * 4 + b"tail!"
    grouped = b"".join(plain[start::4] for start in range(4))
    packed = [(xet.STORED, plain), (xet.LZ4, _lz4(pa, plain)), (xet.GROUPED_LZ4, _lz4(pa, grouped))]
    raw = b"".join(
        bytes([0, *len(body).to_bytes(3, "little"), scheme, *len(plain).to_bytes(3, "little")]) + body
        for scheme, body in packed
    )
    assert list(xet.chunks(raw + b"XETBLOB and its index")) == [plain] * 3


def _lz4(pa: Any, data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="lz4", asbytes=True)
    return packed
