"""A tiny checkpoint and two small tasks in lm-eval's format, for the tests of benchmarks."""

import json
from pathlib import Path

ANIMALS = """\
task: tiny_animals
dataset_path: json
dataset_kwargs:
  data_files:
    test: data/animals.jsonl
test_split: test
output_type: multiple_choice
process_docs: !function steps.keep
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: "{{options}}"
doc_to_target: answer
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""
SUMS = """\
task: tiny_sums
dataset_path: json
dataset_kwargs: {data_files: {test: [data/sums.jsonl]}}
test_split: test
output_type: generate_until
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 4}
filter_list:
  - name: strict-match
    filter: [{function: regex, regex_pattern: "#### ([0-9]+)"}, {function: take_first}]
  - name: flexible-extract
    filter: [{function: regex, regex_pattern: "([0-9]+)", group_select: -1}, {function: take_first}]
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""


def write_tasks(folder: Path) -> Path:
    """Nine multiple-choice questions and four sums; the data files lie below the YAML files."""
    (folder / "data").mkdir(parents=True)
    animals = [
        {"question": f"Which is number {i}?", "options": ["cat", "horse", "bird"], "answer": i % 3} for i in range(9)
    ]
    sums = [{"question": f"What is {i} and {i}?", "answer": f"{2 * i}"} for i in range(4)]
    for name, rows in (("animals", animals), ("sums", sums)):
        (folder / "data" / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "animals.yaml").write_text(ANIMALS)
    (folder / "sums.yaml").write_text(SUMS)
    (folder / "steps.py").write_text("def keep(documents):\n    return documents\n")
    return folder


def write_checkpoint(folder: Path, seed: int, context: int = 256) -> Path:
    """An untrained one-layer model with a byte tokenizer, which reads `context` bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    torch.manual_seed(seed)
    config = LlamaConfig(vocab_size=len(letters), max_position_embeddings=context, **shape, **ends)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
