"""`sage data`: make dialogues."""

from __future__ import annotations

from sage_data.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "sample": Lazy(
        "write the miniature world: dumps with gold answers, scenarios, tasks, a base corpus",
        "sage_data.sample",
        "sage data sample --out world/ --seed 7",
    ),
    "reddit": Lazy(
        "turn Pushshift dumps into dialogues",
        "sage_data.reddit",
        "sage data reddit RC_2005-12.zst RC_2006-01.zst --out dialogues/",
    ),
    "gate": Lazy(
        "keep the dialogues that pass the paper's gates, reject the rest with a reason",
        "sage_data.gates",
        "sage data gate dialogues/ --out kept/",
    ),
    "funnel": Lazy(
        "draw what came in, what was dropped and what was kept, across stages",
        "sage_data.cli.funnel:funnel",
    ),
    "annotate": Lazy(
        "give every utterance its motivation, emotion and topics",
        "sage_data.annotation",
        "sage data annotate kept/ --out annotated/",
    ),
    "sac": Lazy(
        "write State-Action Chains: chat messages ready for training",
        "sage_data.chains",
        "sage data sac annotated/ --out chains/",
    ),
    "scenarios": Lazy(
        "read EmpatheticDialogues situations",
        "sage_data.scenarios",
        "sage data scenarios empatheticdialogues.tar.gz --out scenarios/",
    ),
    "load": Lazy(
        "read dialogues that others published: ShareGPT, messages, DailyDialog, ESConv, ...",
        "sage_data.corpora",
        "sage data load sharegpt.jsonl --out loaded/",
    ),
    "mix": Lazy(
        "mix datasets by weight, each row with its source",
        "sage_data.mixing",
        "sage data mix chains/ sharegpt/ --weight 0.8 --weight 0.2 --out mixed/",
    ),
    "card": Lazy(
        "write the dataset card: what is in it, what was thrown away, under which licence",
        "sage_data.publishing.card",
        "sage data card annotated/ --out card/",
    ),
    "publish": Lazy(
        "check, stage and publish a dataset to the Hugging Face Hub, by pull request",
        "sage_data.publishing",
        "sage data publish annotated/ --repo me/small-talk --out published/ --dry-run",
    ),
    "hydrate": Lazy(
        "rebuild the text of a dataset that was published without it, from dumps",
        "sage_data.publishing.hydrate",
        "sage data hydrate published/dataset --dumps dumps/ --out rebuilt/",
    ),
}

group = LazyGroup(
    "data", COMMANDS, "Make dialogues: each command reads a folder, writes another, says what it dropped."
)
