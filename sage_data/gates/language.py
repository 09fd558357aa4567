"""Which language a text is in, by py3langid: a naive Bayes classifier over byte n-grams, good from a few lines on.

identify = load_identifier("en")
identify("Where is the nearest station?")   # ("en", 0.97...)
"""

from __future__ import annotations

import importlib
from typing import Any

from sage_data.errors import ConfigError, MissingDependencyError
from sage_data.gates.checks import Identify


def load_identifier(wanted: str) -> Identify:
    """Load the classifier that comes with the package; about 0.1 s.

    Raises:
        MissingDependencyError: py3langid is not installed.
        ConfigError: it does not know the language `wanted`.
    """
    try:
        langid: Any = importlib.import_module("py3langid.langid")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "the language gate needs the package py3langid, which is not installed",
            next_step="pip install 'sage-dialogue[gates]'",
        ) from error
    identifier: Any = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    if wanted not in identifier.labels:
        raise ConfigError(f"language: expected one of {', '.join(sorted(identifier.labels))}; found {wanted!r}")

    def identify(text: str) -> tuple[str, float]:
        language, probability = identifier.classify(text)
        return str(language), float(probability)

    return identify
