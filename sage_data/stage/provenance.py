"""Where a stage's rows come from: the sources, and all stages above, as its inputs' manifests state them.

origins_of(module.INPUTS, inputs, out.origins), lineage_of(inputs)
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_data.inputs import Inputs, Need, maker
from sage_data.store.manifest import Ancestor, Manifest, Origin, as_ancestor


def origins_of(needs: Sequence[Need], inputs: Inputs, own: Sequence[Origin]) -> list[Origin]:
    """What a stage's rows derive from: what its inputs do, and what it names itself."""
    stated = {need.name: need.origin for need in needs}
    found = list(own)
    for name, listed in inputs.items():
        for one in listed:
            made = maker(one)
            first = [stated[name]] if made is None else made.origins
            found += [origin for origin in first if origin is not None and origin not in found]
    return sorted(found, key=lambda origin: origin.model_dump_json())


def lineage_of(inputs: Inputs) -> list[Ancestor]:
    """Every stage above, each once, before those that read from it."""
    found: dict[tuple[str, str], Ancestor] = {}
    for made in makers(inputs):
        found |= {(one.stage, one.fingerprint): one for one in [*made.lineage, as_ancestor(made)]}
    return list(found.values())


def makers(inputs: Inputs) -> list[Manifest]:
    """The manifests of the stages that made the inputs."""
    found = (maker(one) for _, listed in inputs.items() for one in listed)
    return [made for made in found if made is not None]
