"""The tiny base's tokenizer: byte-level BPE trained on the corpus, with a chat template that marks what it generates.

Every byte has a token, so any text can be written and read back exactly. Role and end tokens are single tokens that
no text can merge with; the template's generation markers enclose the assistant's words *and* the end token, so the
mask of `sage_models.masking` is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, BEGIN, END = "<|pad|>", "<|begin|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (PAD, BEGIN, END, *ROLES)
"""Ids 0 to 5, in this order."""
CHAT_TEMPLATE = Path(__file__).with_name("chat_template.jinja")
MIN_VOCAB = 256 + len(SPECIAL)


def train_tokenizer(texts: Iterable[str], vocab_size: int, max_length: int) -> PreTrainedTokenizerFast:
    """Learn merges from `texts` (message contents) and wrap them for transformers.

    `vocab_size` counts the 256 bytes and the special tokens; fewer tokens result when the texts hold no more merges.
    `max_length` (tokens) is recorded as the longest input that the model was made for.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocab_size, MIN_VOCAB),
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(ROLES),
        chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"),
        clean_up_tokenization_spaces=False,
        model_max_length=max_length,
        padding_side="left",
    )
