"""After judging: what besides quality may have moved the judges, and how far they agree.

write_trust(counted, every, origins(inputs, models, config), out, seed=7)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sage_data.inputs import maker
from sage_data.stage import Inputs, Output, derive_seed
from sage_eval.judge import agreement, bias, bias_text, self_preference
from sage_eval.judge.opening import Models, model_name
from sage_eval.judge.records import Row
from sage_eval.judge.self_preference import Origin
from sage_eval.judge.settings import Config

BIAS_TEXT, AGREEMENT_TEXT = "bias.txt", "agreement.txt"
_LEARNT_FROM = ("agent", "candidate", "base")
"""Roles in a manifest whose model a later one was made from."""


def origins(inputs: Inputs, models: Models, config: Config) -> dict[str, Origin]:
    """Candidate -> the identities its dialogues name, and those of the models in its lineage."""
    found = {}
    for one in inputs.many("transcripts"):
        name = model_name(one, config)
        own = {dialogue.model for dialogue in models[name].values() if dialogue.model}
        made = maker(one)
        above = [] if made is None else made.lineage
        learnt = {stage.models[role] for stage in above for role in _LEARNT_FROM if role in stage.models}
        found[name] = Origin(frozenset(own), frozenset(learnt - own))
    return found


def write_trust(
    rows: Sequence[Row], candidates: Mapping[str, Origin], out: Output, seed: int
) -> dict[bias.Key, bias.Bias]:
    """Write `judge_bias`, `judge_bias_totals`, `judge_self_preference`, `judge_agreement` and their texts.

    Args:
        rows: pair verdicts of the judges, repeats included, without the panel's, which follow from them.
        candidates: see `origins`.
        out: where to.
        seed: the run's.

    Returns:
        The bias of each comparison.
    """
    pairs = bias.measure(rows, seed=derive_seed(seed, "judge", "bias"))
    totals = bias.totals(rows, seed=derive_seed(seed, "judge", "bias"))
    own = self_preference.measure(rows, models=candidates, seed=derive_seed(seed, "judge", "own"))
    agreed = agreement.measure(rows, seed=derive_seed(seed, "judge", "agreement"))
    out.write_shard(bias.TABLE, 0, bias.table(pairs))
    out.write_shard(bias.TOTALS_TABLE, 0, bias.totals_table(totals))
    out.write_shard(self_preference.TABLE, 0, self_preference.table(own))
    out.write_shard(agreement.TABLE, 0, agreement.table(agreed))
    out.write_text(BIAS_TEXT, bias_text.summary(pairs, totals, own))
    out.write_text(AGREEMENT_TEXT, agreement.summary(agreed))
    return pairs
