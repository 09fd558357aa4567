"""Chains read back into dialogues, texts and states as they were, from every table that chains are written as.

The state in a reply's tag goes back to the user's utterance, the action to the reply. What a table does not hold is
not there: utterances outside exchanges, the border between utterances that were joined, slots and tags the variant
left out, ids of comments, names of source files.

    dialogues = list(read_back(read_table(Path("chains"), "turns").to_pylist(), Export.TURNS))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sage_data.chains.exports import SHAREGPT_NAMES
from sage_data.chains.settings import Export, Variant
from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.errors import InputError
from sage_data.sac import Chain, parse

Row = Mapping[str, Any]
MIXED = "mixed"
"""Variant of a row that holds replies of several variants, whose tags cannot be told from text."""
_NAMES = ("user", "assistant")


def read_back(rows: Iterable[Row], export: Export) -> Iterator[Dialogue]:
    """The dialogues of one table, in order. Rows of one dialogue must stand together, ordered by `exchange`.

    Raises:
        InputError: a row does not follow the table's form; says which.
    """
    for name, group in groupby(rows, key=lambda row: row["id"]):
        some = list(group)
        try:
            if export in (Export.MESSAGES, Export.CONVERSATIONS):
                yield from (_dialogue(row, _exchanges(row, export)) for row in some)
            else:
                _check_order(some)
                yield _dialogue(some[0], _READERS[export](some))
        except InputError as error:
            raise InputError(f"table {export.value}, dialogue {name!r}: {error.message}") from error


def read_messages(row: Row) -> Dialogue:
    """One row of `messages` as a dialogue.

    Raises:
        InputError: it is not in the form this table has.
    """
    return next(read_back([row], Export.MESSAGES))


def read_conversation(row: Row) -> Dialogue:
    """One row of ShareGPT's `conversations` as a dialogue.

    Raises:
        InputError: it is not in the form this table has.
    """
    return next(read_back([row], Export.CONVERSATIONS))


def _exchanges(row: Row, export: Export) -> list[tuple[str, Chain]]:
    if export is Export.MESSAGES:
        said = [(one["role"], one["content"]) for one in row["messages"]]
        return _paired(said, _NAMES, row["variant"])
    said = [(one["from"], one["value"]) for one in row["conversations"]]
    return _paired(said, tuple(SHAREGPT_NAMES[name] for name in _NAMES), row["variant"])


def _paired(said: Sequence[tuple[str, str]], names: tuple[str, ...], variant: str) -> list[tuple[str, Chain]]:
    """(user's words, chain) of each exchange."""
    roles = tuple(name for name, _ in said)
    if not said or roles != names * (len(said) // 2):
        raise InputError(f"expected {names[0]} and {names[1]} in turn, found {', '.join(roles) or 'nothing'}")
    if variant == MIXED:
        raise InputError("its replies are of several variants: text and tags cannot be told apart")
    read = _plain if variant == Variant.NONE else parse
    return [(user, read(reply)) for (_, user), (_, reply) in zip(said[::2], said[1::2], strict=True)]


def _plain(text: str) -> Chain:
    return Chain(None, None, text)


def _check_order(some: Sequence[Row]) -> None:
    found = [row["exchange"] for row in some]
    if found != list(range(len(some))):
        raise InputError(
            f"expected its exchanges 0 to {len(some) - 1} in order, found {', '.join(map(str, found))}; "
            "order the rows by id and exchange"
        )


def _from_completions(some: Sequence[Row]) -> list[tuple[str, Chain]]:
    """The last row holds the whole dialogue; the others must be its beginnings."""
    whole = [*some[-1]["prompt"], *some[-1]["completion"]]
    for place, row in enumerate(some):
        if [*row["prompt"], *row["completion"]] != whole[: 2 * place + 2] or len(row["completion"]) != 1:
            raise InputError(f"the prompt of exchange {place} is not how exchange {len(some) - 1} begins")
    return _paired([(one["role"], one["content"]) for one in whole], _NAMES, some[0]["variant"])


def _from_turns(some: Sequence[Row]) -> list[tuple[str, Chain]]:
    return [(row["user_text"], Chain(_state(row, "u"), _state(row, "a"), row["reply_text"])) for row in some]


def _state(row: Row, prefix: str) -> State | None:
    topics = row[f"{prefix}_topics"]
    if topics is None:
        return None
    return State(row[f"{prefix}_motivation"], row[f"{prefix}_emotion"], tuple(topics))


_READERS: dict[Export, Callable[[Sequence[Row]], list[tuple[str, Chain]]]] = {
    Export.COMPLETIONS: _from_completions,
    Export.TURNS: _from_turns,
}


def _dialogue(row: Row, exchanges: Iterable[tuple[str, Chain]]) -> Dialogue:
    utterances = [
        one
        for user, chain in exchanges
        for one in (Utterance("user", user, chain.state), Utterance("assistant", chain.text, chain.action))
    ]
    source = Source(row["corpus"], row["thread"], row["place"], row["created_utc"], split=row.get("split"))
    return Dialogue(row["id"], tuple(utterances), source, row["scenario_id"], row["model"])
