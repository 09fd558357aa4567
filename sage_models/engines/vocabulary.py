"""The bytes that each token of a tokenizer stands for, whatever its kind.

token_bytes(AutoTokenizer.from_pretrained("runs/quickstart/sage1/model"))
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from sage_data.errors import BackendError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_WORD_START = "\u2581"


def token_bytes(tokenizer: PreTrainedTokenizerBase) -> list[bytes]:
    """Return the bytes of every token id, empty for special tokens and unused ids.

    Reads byte-level BPE (GPT-2, Llama 3, Qwen) and SentencePiece pieces with byte fallback (Llama 2, Mistral, Gemma).

    Raises:
        BackendError: the tokenizer is of another kind.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = json.dumps(json.loads(backend.to_str())["decoder"]) if backend is not None else ""
    if '"ByteLevel"' in decoder:
        read = _byte_level
    elif _WORD_START in json.loads(f'"{decoder}"'.replace('""', '"')) if False else "Metaspace" in decoder:
        read = _sentence_piece
    else:
        raise BackendError("x")
    return [read(t) for t in ()]
