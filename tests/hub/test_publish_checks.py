"""What `sage data publish` refuses to send, leaves out or asks to be named first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_folders import OWN, REDDIT, dialogue, dialogues, write_folder
from localhub import Fault, LocalHub
from publications import REPO, STAGED, Publish, main_shows

from sage_data.errors import ConfigError, InputError, MissingDependencyError, PublishError
from sage_data.publishing import Override
from sage_data.publishing.scans import Kind
from sage_data.store.dialogues import to_table

for package in ("huggingface_hub", "datasets", "jinja2"):
    pytest.importorskip(package)


@pytest.mark.parametrize("there", [True, False])
def test_visibility_must_be_what_is_asked(hub: LocalHub, api: Any, publish: Publish, there: bool) -> None:
    api.create_repo(REPO, repo_type="dataset", private=there)
    with pytest.raises(PublishError, match=r"expected a (public|private) repository"):
        publish(private=not there)
    assert main_shows(hub) == [set()]


def test_public_must_be_asked_for(hub: LocalHub, publish: Publish) -> None:
    publish(private=False)
    assert hub.repo(REPO).private is False


def test_only_what_was_staged_is_sent(
    hub: LocalHub, publish: Publish, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sage_data.publishing import sending

    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    (folder / ".env").write_text("KEY=1")
    (folder / "notes.tmp").write_text("x")
    (folder / "link.parquet").symlink_to(secret)
    real = sending.send

    def with_more(config: Any, assembled: Any, dataset: Path, *rest: Any) -> Any:
        (dataset / ".env").write_text("KEY=1")
        (dataset / "annotated" / "train-00001-of-00001.parquet").symlink_to(secret)
        return real(config, assembled, dataset, *rest)

    monkeypatch.setattr(sending, "send", with_more)
    publish(merge=True)
    assert main_shows(hub) == [set(), STAGED]


def test_staged_file_that_was_changed_is_not_sent(
    hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sage_data.publishing import sending

    real = sending.send

    def changed(config: Any, assembled: Any, dataset: Path, *rest: Any) -> Any:
        (dataset / "README.md").write_text("# Something else\n")
        return real(config, assembled, dataset, *rest)

    monkeypatch.setattr(sending, "send", changed)
    with pytest.raises(PublishError, match="changed after it was checked"):
        publish()
    assert hub.repo(REPO).pulls == []


def test_the_token_is_nowhere(
    hub: LocalHub, publish: Publish, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hub.faults += [
        Fault("POST", "/commit/", status=503),
        Fault("POST", "/merge", status=400),
    ]
    with pytest.raises(PublishError) as error:
        publish(out="same", merge=True)
    publish(out="same", merge=True)

    files = [path for path in (tmp_path / "published").rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if hub.token.encode() in path.read_bytes()]
    # What the client itself logs at debug level is its own; nothing of ours may repeat the token.
    assert hub.token not in "".join([*capfd.readouterr(), str(error.value), caplog.text])


def test_server_that_repeats_the_token_in_an_error(hub: LocalHub, publish: Publish) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=400, says=f"bad token {hub.token}"))
    with pytest.raises(PublishError) as error:
        publish()
    assert "bad token ***" in str(error.value)
    assert hub.token not in str(error.value)


def test_own_token_in_the_data_is_not_published(
    hub: LocalHub, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.hub, "token", "an-odd-token")
    monkeypatch.setenv("HF_TOKEN", "an-odd-token")
    odd = write_folder(tmp_path / "odd", [to_table([dialogue(1, "it is an-odd-token, see?")])])
    with pytest.raises(PublishError, match="holds the token itself"):
        publish(odd)
    assert hub.seen == []


OPTIONS = ("summary", "contact", "title", "citation")


@pytest.mark.parametrize("option", OPTIONS)
def test_own_token_in_an_option_is_not_published(
    hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """On the card it is escaped, so that looking there is not enough; its shape is not one that scans know."""
    monkeypatch.setattr(hub.hub, "token", "an_odd*token")
    monkeypatch.setenv("HF_TOKEN", "an_odd*token")
    with pytest.raises(PublishError, match=f"option {option}: holds the token itself"):
        publish(**{option: "it is an_odd*token, see?"})
    assert hub.seen == []


@pytest.mark.parametrize("option", [*OPTIONS, "authors", "tags"])
def test_keys_in_options_block(publish: Publish, option: str) -> None:
    key = "hf_" + "A1b2" * 8
    with pytest.raises(PublishError, match=rf"- key: \d found.*\n(.*\n)*.*option {option}") as error:
        publish(dry_run=True, **{option: [key] if option in ("authors", "tags") else key})
    assert key not in str(error.value)
    assert "--allow" not in str(error.value.next_step)


def test_addresses_in_a_summary_block_and_those_of_the_publisher_do_not(publish: Publish, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="- email: 2 found") as error:
        publish(dry_run=True, summary="mail bob@example.com")
    assert "--allow email" in str(error.value.next_step)
    citation = "@misc{x,\n  note = {write to me@example.org}\n}"
    publish(dry_run=True, contact="jane_doe@example.org", citation=citation, authors=["Jane <jane_doe@example.org>"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ask /u/somebody_else", "username"),
        ("mail me at jane.doe@example.org", "email"),
        ("call 555-867-5309", "phone"),
        ("https://twitter.com/jack/status/20", "url-id"),
        ("use hf_abcdefghijABCDEFGHIJabcdefghij1234", "key"),
    ],
)
def test_findings_block_unless_allowed_by_name(
    hub: LocalHub, publish: Publish, tmp_path: Path, text: str, kind: str
) -> None:
    personal = write_folder(tmp_path / "personal", [to_table([dialogue(1, text)])])
    with pytest.raises(PublishError, match=f"- {kind}: 1 found") as error:
        publish(personal, example=False)
    assert text.rsplit(maxsplit=1)[-1] not in str(error.value)
    assert hub.seen == []
    publish(personal, example=False, allow=[kind], merge=True)
    assert "personal/train-00000-of-00001.parquet" in main_shows(hub)[-1]
    scans = json.loads((tmp_path / "published" / "out1" / "scans.json").read_text())
    assert scans["data"][kind]["found"] == 1


def test_the_words_of_a_card_are_found_by_no_scan(publish: Publish, tmp_path: Path) -> None:
    key, block = "hf_" + "A1b2" * 8, "-----BEGIN PRIVATE KEY-----"
    said = f"u/somebody bob@example.com 555-867-5309 https://twitter.com/jack/status/20 {key} {block}"
    personal = write_folder(tmp_path / "personal", [to_table([dialogue(1, said)])], [REDDIT])
    publish(
        personal, dry_run=True, example=False, license="cc-by-4.0", allow=[*Override], text_release=True, private=False
    )
    out = tmp_path / "published" / "out0"
    scans = json.loads((out / "scans.json").read_text())
    assert {kind for kind, one in scans["data"].items() if one["found"]} == {*Kind}
    assert not [kind for kind, one in scans["card"].items() if one["found"]]
    card = (out / "dataset" / "README.md").read_text()
    assert card.count("- Published although a check spoke against it:") == len(Kind) + 1
    assert "Before publication every text that is published, and this card, was scanned:" in card


def test_license_that_the_sources_do_not_allow(hub: LocalHub, publish: Publish, tmp_path: Path) -> None:
    from sage_data.scenarios import ORIGIN

    derived = write_folder(tmp_path / "derived", [dialogues(3)], [ORIGIN])
    with pytest.raises(PublishError, match="non-commercial"):
        publish(derived, license="apache-2.0")
    publish(derived, dry_run=True)
    card = (tmp_path / "published" / "out1" / "dataset" / "README.md").read_text()
    assert "license: cc-by-nc-4.0" in card
    assert hub.seen == []


def test_unknown_license_is_refused_unless_vouched_for(publish: Publish, tmp_path: Path) -> None:
    reddit = write_folder(tmp_path / "reddit", [dialogues(3)], [REDDIT])
    with pytest.raises(PublishError, match="unknown"):
        publish(reddit, dry_run=True, license="cc-by-4.0")
    publish(reddit, dry_run=True, license="cc-by-4.0", allow=["unknown-license"])


def test_advice_on_a_licence_does_not_repeat_what_was_given(publish: Publish, tmp_path: Path) -> None:
    reddit = write_folder(tmp_path / "reddit", [dialogues(3)], [REDDIT])
    with pytest.raises(PublishError) as error:
        publish(reddit, dry_run=True)
    assert "--cleared Reddit" in str(error.value.next_step)
    assert "vouch for it: --cleared Reddit" in str(error.value)
    assert "expected a licence to publish under; found none" in str(error.value)
    assert "'unknown'" not in str(error.value), "nobody claimed that"
    with pytest.raises(PublishError) as error:
        publish(reddit, dry_run=True, allow=["unknown-license"])
    assert error.value.next_step == "say under which licence you publish, such as --license cc-by-4.0"


def test_sources_are_cleared_in_any_case_and_strange_names_are_refused(publish: Publish, tmp_path: Path) -> None:
    reddit = write_folder(tmp_path / "reddit", [dialogues(3)], [REDDIT, OWN])
    with pytest.raises(ConfigError, match=r"found 'redit'; the sources are 'Made for a test', 'Reddit'"):
        publish(reddit, dry_run=True, license="cc-by-4.0", cleared=["redit"])
    publish(reddit, dry_run=True, license="cc-by-4.0", cleared=["REDDIT", "made for a test"])
    card = (tmp_path / "published" / "out1" / "dataset" / "README.md").read_text()
    assert "- The publisher vouches for the use of Reddit, whose licence is not known." in card
    assert card.count("The publisher vouches") == 1
    assert "the words that are left out were not:" in card
    assert "those configs that keep them" not in card


def test_folder_without_sources_beside_one_with_them(publish: Publish, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "other", [dialogues(3)], [])
    mine = write_folder(tmp_path / "mine", [dialogues(3)])
    with pytest.raises(PublishError, match=r"unstated sources of other \(unknown\)") as error:
        publish(mine, other, dry_run=True, license="cc0-1.0")
    assert "--cleared 'unstated sources of other'" in str(error.value.next_step)
    publish(mine, other, dry_run=True, license="cc0-1.0", cleared=["unstated sources of other"])
    card = (tmp_path / "published" / "out1" / "dataset" / "README.md").read_text()
    assert "vouches for the use of unstated sources of other" in card


def test_no_token_and_no_network_are_said_before_anything_is_sent(
    hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ConfigError, match="HF_TOKEN"):
        publish()
    monkeypatch.setenv("OTHER_TOKEN", hub.token)
    publish(token_env="OTHER_TOKEN")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            with pytest.raises(ConfigError, match=name):
                publish()


@pytest.mark.parametrize("missing", ["huggingface_hub", "datasets"])
def test_missing_package_is_said_before_anything_is_sent(
    hub: LocalHub, publish: Publish, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr("sage_data.publishing.sending.find_spec", lambda name: None if name == missing else name)
    with pytest.raises(MissingDependencyError, match=missing):
        publish()
    assert hub.seen == []


def test_folder_that_is_not_as_its_stage_left_it(publish: Publish, folder: Path) -> None:
    """A shard that was added, or changed without changing its size, is not published."""
    shard = folder / "dialogues-00000.parquet"
    whole = shard.read_bytes()
    (folder / "dialogues-00001.parquet").write_bytes(whole)
    with pytest.raises(InputError, match="changed, added or a link"):
        publish(dry_run=True)
    (folder / "dialogues-00001.parquet").unlink()
    shard.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    with pytest.raises(InputError, match="changed, added or a link"):
        publish(dry_run=True)


@pytest.mark.parametrize("name", ["-odd", "a b", "..."])
def test_config_names_that_the_hub_does_not_take(publish: Publish, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="config's name"):
        publish(write_folder(tmp_path / name, [dialogues(2)]), dry_run=True)


def test_nothing_to_publish_is_said(publish: Publish, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected rows"):
        publish(write_folder(tmp_path / "none", [dialogues(0)]), dry_run=True)


def test_overrides_that_mattered_stand_on_the_card(publish: Publish, tmp_path: Path) -> None:
    personal = write_folder(tmp_path / "personal", [to_table([dialogue(1, "ask u/somebody or u/another")])])
    publish(personal, dry_run=True, example=False, allow=["username", "phone"])
    card = (tmp_path / "published" / "out0" / "dataset" / "README.md").read_text()
    assert "2 findings of the scan for username were allowed" in card
    assert "scan for phone were allowed" not in card
