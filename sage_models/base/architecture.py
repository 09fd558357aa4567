"""The tiny base's network: a Llama-type causal language model, small enough to be trained on a laptop's CPU."""

from __future__ import annotations

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

HEAD_DIM = 32
"""Width of one attention head; the hidden width is a multiple of it."""


def new_model(
    tokenizer: PreTrainedTokenizerBase, *, hidden: int, layers: int, max_length: int, seed: int
) -> LlamaForCausalLM:
    """Build a model with random float32 weights that depend on `seed` and the sizes alone.

    The feed-forward width is 8/3 of `hidden`, rounded to a multiple of 32; embedding and output matrix are one.
    """
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=round(hidden * 8 / 3 / 32) * 32,
        num_hidden_layers=layers,
        num_attention_heads=hidden // HEAD_DIM,
        num_key_value_heads=hidden // HEAD_DIM,
        head_dim=HEAD_DIM,
        max_position_embeddings=max_length,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model
