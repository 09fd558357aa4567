"""The bytes that each token of a tokenizer stands for, whatever its kind.

token_bytes(AutoTokenizer.from_pretrained("runs/quickstart/sage1/model"))
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sage_data.errors import BackendError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_WORD_START = "\u2581"
_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_BYTE_OF = {
    **{chr(byte): byte for byte in _PRINTABLE},
    **{chr(0x100 + place): byte for place, byte in enumerate(sorted(set(range(256)) - set(_PRINTABLE)))},
}
"""GPT-2's alphabet: printable Latin-1 stands for itself, every other byte for the next character from U+0100 on."""


def token_bytes(tokenizer: PreTrainedTokenizerBase) -> list[bytes]:
    """Return the bytes of every token id; empty for special tokens and ids without a token.

    Reads byte-level BPE (GPT-2, Llama 3, Qwen) and SentencePiece pieces with byte fallback (Llama 2, Mistral, Gemma).

    Raises:
        BackendError: the tokenizer is of another kind.
    """
    byte_level = _is_byte_level(tokenizer)
    special = set(tokenizer.all_special_ids)
    added = {number: str(token) for token, number in tokenizer.get_added_vocab().items()}
    vocabulary = tokenizer.get_vocab()
    table = [b""] * (max(vocabulary.values()) + 1)
    for token, number in vocabulary.items():
        if number in added:
            table[number] = b"" if number in special else added[number].encode()
        else:
            table[number] = bytes(_BYTE_OF[char] for char in token) if byte_level else _piece(token)
    return table


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = json.dumps(json.loads(backend.to_str())["decoder"], ensure_ascii=False) if backend is not None else ""
    if '"ByteLevel"' not in decoder and _WORD_START not in decoder:
        raise BackendError(
            f"cannot read the tokens of {type(tokenizer).__name__} as bytes: expected byte-level BPE or SentencePiece",
            next_step="steer a model with such a tokenizer, or leave the boosts out",
        )
    return '"ByteLevel"' in decoder


def _piece(token: str) -> bytes:
    match = _BYTE_TOKEN.fullmatch(token)
    return bytes.fromhex(match[1]) if match else token.replace(_WORD_START, " ").encode()
