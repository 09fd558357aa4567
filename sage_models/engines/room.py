"""A key-value cache that grows in place: appending a token copies that token, not the whole history.

transformers' own dynamic cache joins tensors at every step, which is most of the time of a small model on CPU.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

_SPARE = 64
"""Positions to add when the room is used up."""


class RoomyLayer(DynamicLayer):
    """One layer's keys and values, (batch, heads, seq, head size), inside larger buffers."""

    def __init__(self) -> None:
        """Start empty, with no buffer."""
        super().__init__()
        self._length = 0
        self._buffers: list[Tensor] = []

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Append the new positions and return all of them, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._buffers = [self.keys, self.values]
        end = self._length + key_states.shape[-2]
        self._buffers = [
            self._written(buffer, states, end)
            for buffer, states in zip(self._buffers, (key_states, value_states), strict=True)
        ]
        return self._shown(end)

    def get_seq_length(self) -> int:
        """Return the number of positions held."""
        return self._length

    def take(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order."""
        self._buffers = [buffer.index_select(0, rows) for buffer in self._buffers]
        self._shown(self._length)

    def fill(self, keys: Tensor, values: Tensor) -> None:
        """Become these keys and values."""
        self.lazy_initialization(keys, values)
        self._buffers = [keys, values]
        self._shown(keys.shape[-2])

    def _shown(self, length: int) -> tuple[Tensor, Tensor]:
        self._length = length
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)
        return self.keys, self.values

    def _written(self, buffer: Tensor, states: Tensor, end: int) -> Tensor:
        """Return `buffer`, enlarged if need be, with `states` as its last positions before `end`."""
        if buffer.ndim != states.ndim or buffer.shape[-2] < end:
            larger = states.new_zeros((*states.shape[:2], end + _SPARE, states.shape[-1]))
            if self._length:
                larger[:, :, : self._length] = buffer[:, :, : self._length]
            buffer = larger
        buffer[:, :, self._length : end] = states
        return buffer


def new_cache(layers: int) -> Cache:
    """Return an empty cache of `layers` layers."""
    return Cache(layers=[RoomyLayer() for _ in range(layers)])


def joined(caches: list[Cache], layers: int) -> Cache:
    """Stack caches of different lengths, rows one after another, right-aligned; the gaps on the left hold zeros."""
    width = max(cache.get_seq_length() for cache in caches)
    whole = new_cache(layers)
    for index, layer in enumerate(whole.layers):
        parts = [cache.layers[index] for cache in caches]
        layer.fill(_stacked([part.keys for part in parts], width), _stacked([part.values for part in parts], width))
    return whole


def _stacked(parts: list[Tensor], width: int) -> Tensor:
    return torch.cat([torch.nn.functional.pad(part, (0, 0, width - part.shape[-2], 0)) for part in parts])


def cache_argument(model: PreTrainedModel, cache: Cache) -> dict[str, Cache]:
    """The cache under the name that the model's `forward` has for it: newer ones warn of the old name on each start."""
    new = "cache" in inspect.signature(model.forward).parameters
    return {"cache" if new else "past_key_values": cache}
