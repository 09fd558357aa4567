"""A language model names motivation, emotion and topics, and makes the text more readable (paper section 3.2, App. B).

Read in this order: `prompt.toml` (what is asked), `request` (how), `reply` (what is accepted, with `tags`, `wording`,
`closeness`, `facts`, `opposites`), `asking` (repair and further rounds), `pilot` (what it will cost), `shelf` (how
shards are finished), `outcome` and `report` (what became of it), `advice` (what to do about failures).

    sage data annotate kept/ --out annotated/ --annotator llm --model openai:MODEL@URL
"""

from pathlib import Path

from sage_data.annotation.llm.closeness import WORDS_FILE
from sage_data.annotation.llm.prompt import PROMPT_FILE
from sage_data.annotation.llm.tags import CANONICAL_FILE

RESOURCES: tuple[Path, ...] = (PROMPT_FILE, CANONICAL_FILE, WORDS_FILE)
"""Files that the bytes of an annotation depend on."""
