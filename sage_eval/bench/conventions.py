"""How the paper's Table 2 counts: which ten tasks, with how many examples in the prompt, by which metric and filter.

One metric and one filter of a task are compared, so that none counts twice; mmlu's subjects are one task. The metrics
are those that fit the table's figures: length-normalised accuracy where lm-eval has it for these tasks, plain accuracy
elsewhere, the strict filter for gsm8k; no example in any prompt.

    metric_for("mmlu", ("acc", "acc_norm"), ("acc_norm", "acc"))  # "acc"
"""

from __future__ import annotations

from collections.abc import Sequence

PAPER = "paper"
"""Name that stands for the ten tasks."""
PAPER_TASKS = (
    "hellaswag",
    "arc_challenge",
    "arc_easy",
    "mmlu",
    "winogrande",
    "openbookqa",
    "piqa",
    "social_iqa",
    "commonsense_qa",
    "gsm8k",
)
"""By their names in lm-eval, in this order."""
PAPER_SHOTS = 0
STRICT = "strict-match"
"""The filter of gsm8k that counts: the number behind `#### `; `flexible-extract`, the last number, is kept beside."""
METRICS = {
    "hellaswag": "acc_norm",
    "arc_challenge": "acc_norm",
    "arc_easy": "acc_norm",
    "openbookqa": "acc_norm",
    "piqa": "acc_norm",
    "mmlu": "acc",
    "hendrycksTest": "acc",
    "winogrande": "acc",
    "social_iqa": "acc",
    "commonsense_qa": "acc",
    "gsm8k": "exact_match",
}
"""Task -> metric of the paper's Table 2; `hendrycksTest` is what lm-eval called mmlu before version 0.4."""
RISING = ("acc", "acc_norm", "exact_match", "f1", "em", "bleu", "mcc")
FALLING = ("ppl", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte")
"""Metrics whose direction is known where an output does not state it."""
SUBJECTS = frozenset(
    [
        "abstract_algebra",
        "anatomy",
        "astronomy",
        "business_ethics",
        "clinical_knowledge",
        "college_biology",
        "college_chemistry",
        "college_computer_science",
        "college_mathematics",
        "college_medicine",
        "college_physics",
        "computer_security",
        "conceptual_physics",
        "econometrics",
        "electrical_engineering",
        "elementary_mathematics",
        "formal_logic",
        "global_facts",
        "high_school_biology",
        "high_school_chemistry",
        "high_school_computer_science",
        "high_school_european_history",
        "high_school_geography",
        "high_school_government_and_politics",
        "high_school_macroeconomics",
        "high_school_mathematics",
        "high_school_microeconomics",
        "high_school_physics",
        "high_school_psychology",
        "high_school_statistics",
        "high_school_us_history",
        "high_school_world_history",
        "human_aging",
        "human_sexuality",
        "international_law",
        "jurisprudence",
        "logical_fallacies",
        "machine_learning",
        "management",
        "marketing",
        "medical_genetics",
        "miscellaneous",
        "moral_disputes",
        "moral_scenarios",
        "nutrition",
        "philosophy",
        "prehistory",
        "professional_accounting",
        "professional_law",
        "professional_medicine",
        "professional_psychology",
        "public_relations",
        "security_studies",
        "sociology",
        "us_foreign_policy",
        "virology",
        "world_religions",
    ]
)
"""The 57 subjects of mmlu (Hendrycks et al. 2021), as lm-eval writes them."""


def subject_of(task: str) -> tuple[str, str] | None:
    """("mmlu", "anatomy") for `mmlu_anatomy`, likewise for mmlu's variants; None for any other task."""
    subject = next((one for one in SUBJECTS if task.endswith(one)), None)
    whole = task.removesuffix(subject or "").rstrip("_-")
    if subject is None or not (whole.startswith("mmlu") or whole == "hendrycksTest"):
        return None
    return whole, subject


def in_table(task: str, filter_name: str, metric: str, num_fewshot: int | None) -> bool:
    """True for a score as the paper's Table 2 counts it."""
    counted = METRICS.get(task) == metric and task in PAPER_TASKS and num_fewshot in (PAPER_SHOTS, None)
    return counted and filter_name == (STRICT if task == "gsm8k" else "none")


def metric_for(task: str, present: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The metric to compare: the paper's where it is wanted and there, else the first wanted one that is there."""
    usual = METRICS.get(task)
    if usual in present and usual in wanted:
        return usual
    return next((one for one in wanted if one in present), None)


def filter_for(present: Sequence[str], wanted: Sequence[str]) -> str:
    """The filter whose scores count: the first wanted one that is there, else the first by name."""
    return next((one for one in wanted if one in present), min(present))


def rises(metric: str) -> bool | None:
    """Whether a higher value is better, where that is known from the metric's name."""
    if metric in RISING:
        return True
    return False if metric in FALLING else None
