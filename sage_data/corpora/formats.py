"""The formats of corpora: how each is told from others, who reads it, what it derives from.

A file is told by how it begins, never by its name alone. What nobody here knows is not guessed at.

    detect(CorpusFile.at(Path("valid_freq.json")))  ->  Format.TOPICAL_CHAT
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from sage_data.corpora import dailydialog, empathetic, esconv, messages, personachat, sharegpt, topical_chat
from sage_data.corpora.files import CorpusFile, first_value, head_values, read_head, read_records
from sage_data.corpora.records import Items
from sage_data.corpora.speaking import System, dialogues_of
from sage_data.scenarios import ORIGIN as EMPATHETIC
from sage_data.scenarios.lines import FIELDS
from sage_data.stage import Origin


class Format(StrEnum):
    """What a file holds."""

    AUTO = "auto"
    """Told from how each file begins."""
    MESSAGES = "messages"
    SHAREGPT = "sharegpt"
    DAILYDIALOG = "dailydialog"
    ESCONV = "esconv"
    TOPICAL_CHAT = "topical-chat"
    PERSONACHAT = "personachat"
    EMPATHETIC_DIALOGUES = "empathetic-dialogues"


ORIGINS: Mapping[Format, Origin] = {
    Format.DAILYDIALOG: Origin(
        name="DailyDialog",
        license="cc-by-nc-sa-4.0",
        url="http://yanran.li/dailydialog",
        note="Li et al., IJCNLP 2017. The licence is the one its authors state.",
    ),
    Format.ESCONV: Origin(
        name="ESConv",
        license="cc-by-nc-4.0",
        url="https://github.com/thu-coai/Emotional-Support-Conversation",
        note="Liu et al., ACL 2021.",
    ),
    Format.TOPICAL_CHAT: Origin(
        name="Topical-Chat",
        license="cdla-sharing-1.0",
        url="https://github.com/alexa/Topical-Chat",
        note="Gopalakrishnan et al., Interspeech 2019.",
    ),
    Format.PERSONACHAT: Origin(
        name="PersonaChat",
        license="unknown",
        url="https://github.com/facebookresearch/ParlAI/tree/main/projects/personachat",
        note="Zhang et al., ACL 2018. No licence of the data is stated there.",
    ),
    Format.EMPATHETIC_DIALOGUES: EMPATHETIC,
}
RECCON = Origin(
    name="RECCON",
    license="unknown",
    url="https://github.com/declare-lab/RECCON",
    note="Poria et al., 2021: emotions of a part of DailyDialog. No licence of the annotation is stated.",
)

Read = Callable[[CorpusFile], Items]
Marks = tuple[tuple[Format, str], ...]
_JSON_MARKS: Marks = (
    (Format.TOPICAL_CHAT, r'"article_url"\s*:|"knowledge_source"\s*:'),
    (Format.PERSONACHAT, r'^\[\s*"[^"]*"\s*,\s*\{\s*"content"\s*:'),
    (Format.ESCONV, r'"(?:emotion_type|problem_type|experience_type)"\s*:'),
    (Format.DAILYDIALOG, r'^\{\s*"[^"]*"\s*:\s*\[\s*\[\s*\{[^}]*"utterance"\s*:'),
    (Format.SHAREGPT, r'"from"\s*:\s*"[^"]*"|"conversations"\s*:\s*\[\s*\{\s*"value"\s*:'),
    (Format.MESSAGES, r'"role"\s*:\s*"'),
)
_TEXT_MARKS: Marks = (
    (Format.EMPATHETIC_DIALOGUES, "^" + re.escape(",".join(FIELDS))),
    (Format.DAILYDIALOG, dailydialog.END),
    (Format.ESCONV, r"^[\d.]+ [01] \d+ "),
    (Format.PERSONACHAT, r"^1 (?:(?:your|partner's) persona:|[^\n]*\t)"),
)


def detect(file: CorpusFile) -> Format | None:
    """What a file holds; None when it is none of the known formats.

    Raises:
        DamagedFileError: the file is damaged at its very beginning.
    """
    if file.ending == ".parquet":
        return detect_row(first_value(file))
    begins = read_head(file).lstrip()
    if begins[:1] not in ("[", "{"):
        return _marked(begins, _TEXT_MARKS)
    array = begins.startswith("[") and file.ending == ".json"
    told = (_of_value(text, value) for text, value in head_values(begins, array=array))
    # Where no record is short enough, or the file is one object, its beginning as a whole tells.
    return next((one for one in told if one), None) or _marked(begins, _JSON_MARKS)


def _marked(text: str, marks: Marks) -> Format | None:
    return next((one for one, mark in marks if re.search(mark, text)), None)


def _of_value(text: str, value: Any) -> Format | None:
    """What one record holds; that it is a chat, its own fields tell before any word in it does."""
    if not isinstance(value, Mapping | list):
        return None
    chat = detect_row(value)
    return chat if chat in (Format.MESSAGES, Format.SHAREGPT) else _marked(text, _JSON_MARKS)


def detect_row(row: Any) -> Format | None:
    """What a row of a table holds."""
    if not isinstance(row, Mapping):
        return None
    if isinstance(row.get("dialog"), list) and {"act", "emotion"} & row.keys():
        return Format.DAILYDIALOG
    for name in (*messages.LISTS, "prompt"):
        turns = row.get(name)
        if isinstance(turns, list) and turns and isinstance(turns[0], Mapping):
            return Format.SHAREGPT if "from" in turns[0] else Format.MESSAGES
    return None


def reader(chosen: Format, file: CorpusFile, system: System) -> Read:
    """The function that reads a file of a format."""
    is_json = file.ending in (".json", ".jsonl", ".ndjson")
    readers: dict[Format, Read] = {
        Format.MESSAGES: lambda one: dialogues_of(read_records(one), messages.from_row, system),
        Format.SHAREGPT: lambda one: dialogues_of(read_records(one), sharegpt.from_row, system),
        Format.DAILYDIALOG: _dailydialog(file),
        Format.ESCONV: esconv.read_json if is_json else esconv.read_examples,
        Format.TOPICAL_CHAT: topical_chat.read,
        Format.PERSONACHAT: personachat.read_json if is_json else personachat.read_parlai,
        Format.EMPATHETIC_DIALOGUES: empathetic.read,
    }
    return readers[chosen]


def _dailydialog(file: CorpusFile) -> Read:
    forms = {".json": dailydialog.read_reccon, ".parquet": dailydialog.read_parquet}
    return forms.get(file.ending, dailydialog.read_text)


def origins(chosen: Format, file: CorpusFile) -> list[Origin]:
    """What a file of a known corpus derives from; empty for formats that anyone may use."""
    known = [ORIGINS[chosen]] if chosen in ORIGINS else []
    return [*known, RECCON] if chosen is Format.DAILYDIALOG and file.ending == ".json" else known
