"""The reward-model judge, on a tiny checkpoint whose weights are planted so that its scores are known."""

import math
from itertools import product

import pytest
from judging import played, rows, run_judge
from made_dialogues import given

from sage_data.chat.protocol import CompletionStatus
from sage_data.errors import BackendError, ConfigError
from sage_eval.judge.reward import compare, reward_judge
from sage_eval.judge.scores import as_text
from sage_eval.judge.transcripts import Line, Presentation
from sage_eval.verdict import Choice

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["<pad>", "<s>", "<unk>", "good", "fine", "bad", "User", "Assistant", ":", "hello", "user", "assistant", "\n"]
WORTH = {"good": 2.0, "fine": 1.0, "bad": -1.0}
TEMPLATE = "<s> {% for m in messages %}{{ m['role'] }} : {{ m['content'] }} {% endfor %}"


def checkpoint(folder, *, labels=("reward",), template=None, pad=True, worth=WORTH):
    """A one-layer Llama for classification, with a word-level tokenizer: its score is the words' mean worth."""
    tokenizer = _tokenizer(template, pad=pad)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        max_position_embeddings=64,
        pad_token_id=0 if pad else None,
        bos_token_id=1,
        id2label=dict(enumerate(labels)),
        label2id={name: index for index, name in enumerate(labels)},
    )
    torch.manual_seed(0)
    model = transformers.LlamaForSequenceClassification(config)
    _plant(model, worth, len(labels))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(template, *, pad):
    from tokenizers import Tokenizer, models, pre_tokenizers

    inner = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", **({"pad_token": "<pad>"} if pad else {})
    )
    made.chat_template = template
    return made


def _plant(model, worth, labels):
    """Attention looks at every token alike and carries their mean worth; the head reads it at the last token."""
    layer = model.model.layers[0]
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        # Feature 0 is a constant, feature 1 the word's worth; the norms only scale, as every vector has feature 0.
        model.model.embed_tokens.weight[:, 0] = 1.0
        for word, value in worth.items():
            model.model.embed_tokens.weight[WORDS.index(word), 1] = 0.1 * value
        for norm in (layer.input_layernorm, layer.post_attention_layernorm, model.model.norm):
            norm.weight.fill_(1.0)
        layer.self_attn.v_proj.weight[2, 1] = 1.0
        layer.self_attn.o_proj.weight[2, 2] = 1.0
        model.score.weight[labels - 1, 2] = 1.0


def lines(*said):
    return tuple(Line("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(said))


GOOD, FINE, BAD = (lines("hello", word) for word in ("good", "fine", "bad"))


def ask(judge, *pairs):
    return [reply.choice for reply in judge.judge([Presentation(*pair) for pair in pairs])]


@pytest.mark.parametrize(("template", "pad"), list(product((None, TEMPLATE), (True, False))))
def test_the_dialogue_worth_more_wins_from_either_seat(tmp_path, template, pad):
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm', template=template, pad=pad)}")
    asked = [(GOOD, FINE), (FINE, GOOD), (BAD, FINE), (FINE, BAD), (GOOD, GOOD)]
    assert ask(judge, *asked) == [Choice.FIRST, Choice.SECOND, Choice.SECOND, Choice.FIRST, Choice.TIE]


def test_batches_of_different_lengths_give_what_single_dialogues_give(tmp_path):
    folder = checkpoint(tmp_path / "rm")
    texts = [lines("hello", " ".join(["good"] * n + ["bad"] * m)) for n, m in product(range(1, 5), range(4))]
    pairs = [Presentation(one, texts[0]) for one in texts]
    raws = [
        [reply.raw for reply in reward_judge(f"reward:{folder}?batch={batch}").judge(pairs)] for batch in (1, 3, 16)
    ]
    assert raws[0] == raws[1] == raws[2]
    assert len(set(raws[0])) > 8


def test_the_score_is_what_the_weights_say(tmp_path):
    """By hand: the mean worth of the tokens, each scaled by its own norm, then the head's norm."""
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm')}")
    score = judge.scorer.score([GOOD])[0]
    values = [0.1 * WORTH.get(word, 0.0) for word in as_text(GOOD).split()]
    carried = sum(v / math.sqrt((1 + v * v) / 8) for v in values) / len(values)
    last = values[-1]
    assert score.value == pytest.approx(carried / math.sqrt((1 + last**2 + carried**2) / 8), abs=1e-3)
    assert score.tokens == len(as_text(GOOD).split())


def test_scores_within_the_margin_are_a_tie(tmp_path):
    folder = checkpoint(tmp_path / "rm")
    plain = reward_judge(f"reward:{folder}")
    good, fine = (score.value for score in plain.scorer.score([GOOD, FINE]))
    wide = reward_judge(f"reward:{folder}?margin={good - fine + 0.01}")
    assert ask(wide, (GOOD, FINE), (GOOD, BAD)) == [Choice.TIE, Choice.FIRST]
    assert wide.spec_hash != plain.spec_hash
    assert wide.identity == plain.identity


@pytest.mark.parametrize(
    ("first", "second", "margin", "choice"),
    [
        (1.0, 1.0, 0.0, Choice.TIE),
        (1.0001, 1.0, 0.0, Choice.FIRST),
        (1.00001, 1.0, 0.0, Choice.TIE),
        (0.5, 0.6, 0.1, Choice.TIE),
        (0.5, 0.6001, 0.1, Choice.SECOND),
        (math.nan, 1.0, 9.0, Choice.ERROR),
        (math.inf, 1.0, 9.0, Choice.ERROR),
        (None, 1.0, 0.0, Choice.ERROR),
    ],
)
def test_compares_scores(first, second, margin, choice):
    assert compare(first, second, margin) is choice


def test_every_dialogue_is_scored_once(tmp_path):
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm')}")
    scored, real = [], judge.scorer.score
    judge.scorer.score = lambda transcripts: scored.extend(transcripts) or real(transcripts)
    ask(judge, (GOOD, BAD), (BAD, GOOD))
    ask(judge, (GOOD, FINE), (FINE, GOOD))
    assert sorted(map(as_text, scored)) == sorted(map(as_text, (GOOD, BAD, FINE)))


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (lines("hello", "good " * 80), "tokens, and the model takes 64"),
        (lines("hello"), "says nothing"),
        (lines("hello", "good <s> good"), "control token"),
    ],
)
def test_what_cannot_be_scored_is_an_error_that_says_so_and_never_a_loss(tmp_path, odd, said):
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm')}")
    first, second, well = judge.judge([Presentation(odd, BAD), Presentation(BAD, odd), Presentation(GOOD, BAD)])
    assert [first.choice, second.choice, well.choice] == [Choice.ERROR, Choice.ERROR, Choice.FIRST]
    assert first.status is CompletionStatus.REFUSED
    assert said in first.error
    assert "the first dialogue" in first.error
    assert "the second dialogue" in second.error


def test_a_limit_may_be_lower_than_the_models(tmp_path):
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm')}?max_length=6")
    long = lines("hello", "good good good good")
    assert ask(judge, (GOOD, BAD), (long, BAD)) == [Choice.FIRST, Choice.ERROR]


def test_a_template_that_refuses_a_dialogue_is_an_error(tmp_path):
    refuses = "{% if messages[0]['content'] == 'bad' %}{{ raise_exception('no such start') }}{% endif %}" + TEMPLATE
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm', template=refuses)}")
    reply = judge.judge([Presentation(lines("bad", "good"), GOOD)])[0]
    assert reply.choice is Choice.ERROR
    assert "no such start" in reply.error


def test_a_model_that_gives_no_number_is_an_error(tmp_path):
    judge = reward_judge(f"reward:{checkpoint(tmp_path / 'rm', worth={**WORTH, 'bad': math.nan})}")
    reply = judge.judge([Presentation(GOOD, BAD)])[0]
    assert reply.choice is Choice.ERROR
    assert "gave nan" in reply.error


def test_a_named_label_counts_by_its_log_odds(tmp_path):
    folder = checkpoint(tmp_path / "rm", labels=("poor", "so-so", "great"))
    judge = reward_judge(f"reward:{folder}?label=great")
    assert ask(judge, (GOOD, FINE), (BAD, FINE)) == [Choice.FIRST, Choice.SECOND]
    assert ask(reward_judge(f"reward:{folder}?label=poor"), (GOOD, FINE)) == [Choice.SECOND]
    with pytest.raises(ConfigError, match="expected a label among poor, so-so, great, found none"):
        reward_judge(f"reward:{folder}")
    with pytest.raises(ConfigError, match="found best"):
        reward_judge(f"reward:{folder}?label=best")


@pytest.mark.parametrize(
    ("query", "said"),
    [("margin=-1", "margin"), ("colour=red", "colour"), ("batch=none", "batch"), ("margin=nan", "margin")],
)
def test_refuses_options_that_cannot_be_meant(tmp_path, query, said):
    folder = checkpoint(tmp_path / "rm")
    with pytest.raises(ConfigError, match=f"option {said}"):
        reward_judge(f"reward:{folder}?{query}")


def test_refuses_what_is_no_reward_model(tmp_path):
    with pytest.raises(BackendError, match="no reward model at"):
        reward_judge(f"reward:{tmp_path / 'nowhere'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackendError, match="cannot be loaded"):
        reward_judge(f"reward:{tmp_path / 'empty'}")
    base = tmp_path / "base"
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    transformers.LlamaForCausalLM(config).save_pretrained(base)
    _tokenizer(None, pad=True).save_pretrained(base)
    with pytest.raises(BackendError, match=r"lacks the weights score\.weight"):
        reward_judge(f"reward:{base}")


def test_the_stage_judges_with_a_checkpoint_given_as_an_input(tmp_path):
    from sage_data.stage import Context, run_stage

    folder = checkpoint(tmp_path / "rm" / "model")
    a = played(tmp_path / "a", "a", {("s1", 0): "bad bad", ("s2", 0): "good", ("s3", 0): "fine " * 80})
    b = played(tmp_path / "b", "b", {("s1", 0): "good fine", ("s2", 0): "bad", ("s3", 0): "fine"})
    manifest = run_stage(
        "sage_eval.judge",
        {"judges": ["reward:@judge"], "self_test": False},
        {"transcripts": [a, b], "judge": [given(folder, "model")]},
        tmp_path / "judged",
        Context(seed=7),
    )
    found = rows(tmp_path / "judged", "pair_verdicts")
    assert [row["verdict"] for row in found] == ["B", "A", "error"]
    assert found[0]["judge"].startswith("rm@")
    assert str(tmp_path) not in str(rows(tmp_path / "judged", "judge_calls"))
    assert "1 of 3 pairs have no readable verdict (1 error)" in manifest.failures[0]
    assert not (tmp_path / "judged" / "estimate.json").exists()
    by_path = run_judge([a, b], tmp_path / "by-path", judges=[f"reward:{folder}"])
    assert rows(tmp_path / "by-path", "judge_bias") == rows(tmp_path / "judged", "judge_bias")
    assert str(folder) not in str(by_path.models)
