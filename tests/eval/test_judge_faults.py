"""Faults of servers, over true sockets: no row is lost, and nothing but a whole verdict becomes one."""

import json
import time
from collections import Counter

import pytest
from chat_server import (
    BAD_REQUEST,
    BLANK_CONTENT,
    CUT_BODY,
    CUT_TEXT,
    DROP,
    FILTERED,
    HANG,
    HTML,
    JSON_OBJECT,
    NO_CHOICES,
    NULL_CONTENT,
    PLAIN,
    REFUSAL,
    SERVER_ERROR,
    UNAUTHORISED,
    Ask,
    ChatServer,
    always,
    at,
    shares,
    too_many,
    when,
)
from judging import GOOD, rows, run_judge, two_models, uri, verdict_on, work

from sage_data.cli.main import call
from sage_data.errors import BackendError, BudgetStopError
from sage_data.store.journal import Journal
from sage_eval.verdict import Verdict

PRICED = {"input_price": 1000.0, "output_price": 1000.0}
"""USD per million tokens: a word costs a tenth of a cent."""


@pytest.fixture
def models(tmp_path):
    """Model b is better in every scenario but each third."""
    return two_models(tmp_path, 24, better=lambda number: "a" if number % 3 == 0 else "b")


def verdicts(folder):
    return {row["scenario_id"]: row["verdict"] for row in rows(folder, "pair_verdicts")}


TRUTH = {f"s{number:04}": "A" if number % 3 == 0 else "B" for number in range(24)}


class TestRowSeven:
    """429 with Retry-After, 5xx 30%, dropped connections 10%, hangs: all rows done."""

    def test_a_storm_costs_time_but_no_row(self, models, tmp_path):
        storm = {SERVER_ERROR: 0.3, DROP: 0.1, too_many("0.1"): 0.05, HANG: 0.02}
        with ChatServer(verdict_on, schedule=shares(storm, seed=3)) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server, "&attempts=30&timeout=1.5")])
            met = Counter(call.fault for call in server.calls)
        assert verdicts(tmp_path / "judged") == TRUTH
        assert met["server_error"] > 5
        assert met["drop"] > 1
        # Every fault was met with another request, and nothing else was asked twice.
        assert met[None] == 48

    def test_a_wait_that_the_server_asks_for_is_honoured(self, models, tmp_path):
        with ChatServer(verdict_on, schedule=at({2: too_many("0.5")})) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server, "&concurrency=1")], pilot_pairs=0)
            refused = next(call for call in server.calls if call.fault == "too_many")
            following = server.calls[refused.number + 1]
        assert following.at_s - refused.at_s >= 0.5
        assert verdicts(tmp_path / "judged") == TRUTH


class TestRowEight:
    """401, 400: at most as many calls as run at once, quickly, and the last line says the cause."""

    @pytest.mark.parametrize(("fault", "said"), [(UNAUTHORISED, "Incorrect API key"), (BAD_REQUEST, "Unrecognized")])
    def test_a_refusal_of_every_call_ends_the_run_with_its_cause(self, models, tmp_path, fault, said):
        began = time.monotonic()
        with (
            ChatServer(verdict_on, schedule=always(fault)) as server,
            pytest.raises(BackendError, match=said),
        ):
            run_judge(models, tmp_path / "judged", judges=[uri(server, "&concurrency=4")])
        assert time.monotonic() - began < 3
        # A 400 may be about the schema, so each of the four may learn to do without first.
        assert server.count <= (4 if fault is UNAUTHORISED else 12)
        assert not (tmp_path / "judged").exists()


class TestRowNine:
    """HTML, no choices, null or empty content, a cut reply: none is scored as an answer."""

    @pytest.mark.parametrize(
        ("fault", "verdict"),
        [
            (HTML, "error"),
            (NO_CHOICES, "error"),
            (CUT_BODY, "error"),
            (NULL_CONTENT, "malformed"),
            (BLANK_CONTENT, "malformed"),
            (CUT_TEXT, "malformed"),
            (FILTERED, "malformed"),
            (REFUSAL, "malformed"),
        ],
        ids=lambda one: getattr(one, "name", one),
    )
    def test_one_scenario_fails_and_the_others_stand(self, models, tmp_path, fault, verdict):
        with ChatServer(verdict_on, schedule=when("About s0005", fault)) as server:
            manifest = run_judge(models, tmp_path / "judged", judges=[uri(server, "&attempts=2")])
        assert verdicts(tmp_path / "judged") == {**TRUTH, "s0005": verdict}
        assert manifest.counts[0].dropped == {verdict: 2}
        assert len(manifest.failures) == 1
        assert f"1 of 24 pairs have no readable verdict (1 {verdict})" in manifest.failures[0]
        failed = [row for row in rows(tmp_path / "judged", "judge_calls") if row["scenario_id"] == "s0005"]
        assert {row["verdict"] for row in failed} == {verdict}
        assert all(row["error"] for row in failed)

    def test_one_order_alone_never_decides(self, models, tmp_path):
        """The call with A first fails, the other is well: the pair is not half a win."""
        first_is_a = "FIRST CONVERSATION>>>\n" + json.dumps({"speaker": "user", "text": "About s0005, take 0."})

        def breaks(number, body):
            asked = body["messages"][-1]["content"]
            return REFUSAL if first_is_a in asked and GOOD not in asked.split("SECOND CONVERSATION")[0] else None

        with ChatServer(verdict_on, schedule=breaks) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server)])
        found = next(row for row in rows(tmp_path / "judged", "pair_verdicts") if row["scenario_id"] == "s0005")
        assert (found["verdict"], found["choice_ab"], found["choice_ba"]) == ("malformed", "malformed", "first")


class TestRowTen:
    """50 malformed replies: no crash; counted, reported, excluded."""

    SAID = (
        "Dialog A is better",
        '{"winner": "A"} {"winner": "B"}',
        "VERDICT: FIRST because it is warm",
        '```json\n{"verdict": "FIRST"}\n```',
        '{"verdict": ["FIRST"]}',
        "verdict: first",
        "\ud800 half",
        "I" * 5000,
        '{"verdict": "FIRST", "verdict": "SECOND"}',
        "FIRST",
    )

    def test_fifty_replies_that_are_no_verdict(self, tmp_path):
        models = two_models(tmp_path, 40)

        def mostly_nonsense(ask: Ask) -> str:
            number = int(ask.last.split("About s")[1][:4])
            return self.SAID[number % len(self.SAID)] if number < 25 else verdict_on(ask)

        with ChatServer(mostly_nonsense) as server:
            manifest = run_judge(models, tmp_path / "judged", judges=[uri(server)])
        states = Counter(verdicts(tmp_path / "judged").values())
        assert states == {"malformed": 25, "B": 15}
        assert manifest.counts[0].dropped == {"malformed": 50}
        assert "25 of 40 pairs have no readable verdict (25 malformed)" in manifest.failures[0]
        bias = rows(tmp_path / "judged", "judge_bias")[0]
        assert (bias["first_seat_calls"], bias["second_seat_calls"]) == (15, 15)

    def test_a_judge_of_which_nothing_can_be_read_is_not_paid_further(self, models, tmp_path):
        with ChatServer("I like both.") as server, pytest.raises(BackendError, match="not one of the 20 replies"):
            run_judge(models, tmp_path / "judged", judges=[uri(server)])
        assert server.count == 20
        with ChatServer("I like both.") as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server)], pilot_pairs=0)
        assert set(verdicts(tmp_path / "judged").values()) == {"malformed"}


class TestRowThirteen:
    """--max-cost stops within one batch, with exit code 4, and goes on to the call."""

    def test_no_call_begins_beyond_the_budget_and_none_is_repeated(self, models, tmp_path):
        with ChatServer(verdict_on) as server:
            judge = {"uri": uri(server, "&concurrency=4"), "name": "tiny", **PRICED}
            run_judge(models, tmp_path / "whole", judges=[judge], journal=False)
            whole = sum(row["cost_usd"] for row in rows(tmp_path / "whole", "judge_calls"))
            server.calls.clear()
            with pytest.raises(BudgetStopError, match="for all judges together"):
                run_judge(models, tmp_path / "judged", judges=[judge], max_cost=whole / 2)
            spent = server.count
            assert 20 < spent <= 24 + 4
            with pytest.raises(BudgetStopError):
                run_judge(models, tmp_path / "judged", judges=[judge], max_cost=whole / 2)
            assert server.count <= spent + 4
            run_judge(models, tmp_path / "judged", judges=[judge], max_cost=whole * 2)
            assert server.count == 48
        assert verdicts(tmp_path / "judged") == TRUTH
        for table in ("judge_calls", "pair_verdicts"):
            assert [{**row, "plan_hash": None} for row in rows(tmp_path / "judged", table)] == [
                {**row, "plan_hash": None} for row in rows(tmp_path / "whole", table)
            ]

    def test_the_budget_is_one_for_all_judges(self, models, tmp_path):
        with ChatServer(verdict_on) as cheap, ChatServer(verdict_on, model="large") as dear:
            judges = [
                {"uri": uri(cheap), "name": "cheap", "input_price": 1.0, "output_price": 1.0},
                {"uri": uri(dear, "&concurrency=2").replace("tiny", "large"), "name": "dear", **PRICED},
            ]
            with pytest.raises(BudgetStopError, match=r"judge cheap: .*; judge dear: "):
                run_judge(models, tmp_path / "judged", judges=judges, max_cost=7.0)
        # The pilot asks both, then the cheap one is through before the dear one takes what is left.
        assert cheap.count == 48
        assert 0 < dear.count < 48

    def test_the_command_ends_with_code_four_and_says_how_to_go_on(self, models, tmp_path, capfd):
        with ChatServer(verdict_on) as server:
            given = ["eval", "judge", *(str(one.path) for one in models), "--out", str(tmp_path / "out" / "judged")]
            given += ["--judges", uri(server), "--input-price", "1000", "--output-price", "1000", "--no-progress"]
            given += ["--no-self-test"]
            assert call([*given, "--max-cost", "5"]) == 4
            assert "higher --max-cost goes on" in capfd.readouterr().err
            before = server.count
            assert call([*given, "--max-cost", "1000"]) == 0
            assert server.count == 48 > before
        assert "24 verdicts" in capfd.readouterr().out


class TestPilot:
    """What is said before the money is spent."""

    def test_the_pilot_tells_calls_tokens_and_money_with_an_interval(self, models, tmp_path):
        with ChatServer(verdict_on) as server:
            judge = {"uri": uri(server), "name": "tiny", **PRICED}
            with pytest.raises(BudgetStopError, match="only the pilot") as stopped:
                run_judge(models, tmp_path / "judged", judges=[judge], pilot_only=True)
            assert server.count == 20
            estimate = json.loads((work(tmp_path / "judged") / "estimate.json").read_text())["judges"]["tiny"]
            run_judge(models, tmp_path / "judged", judges=[judge])
            assert server.count == 48
        assert estimate["remaining_calls"] == 28
        found = rows(tmp_path / "judged", "judge_calls")
        paid = sum(row["cost_usd"] for row in found)
        left = estimate["remaining"]["cost_usd"]
        assert left["low"] - 1e-6 <= paid - estimate["pilot"]["cost_usd"] <= left["high"] + 1e-6
        assert left["high"] < 1.1 * left["low"]
        assert "remaining 28 calls" in str(stopped.value)

    def test_nothing_is_asked_of_judges_that_cost_nothing(self, models, tmp_path):
        run_judge(models, tmp_path / "judged")
        assert not (tmp_path / "judged" / "estimate.json").exists()
        assert {row["cost_usd"] for row in rows(tmp_path / "judged", "judge_calls")} == {0.0}

    def test_without_prices_money_is_not_known(self, models, tmp_path):
        with ChatServer(verdict_on) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server)])
        assert {row["cost_usd"] for row in rows(tmp_path / "judged", "judge_calls")} == {None}
        assert "unknown" in (tmp_path / "judged" / "summary.txt").read_text()


class TestServing:
    """What servers can be held to, and what they say of themselves."""

    def test_a_server_is_held_to_the_verdict_as_far_as_it_can_be(self, models, tmp_path):
        with ChatServer(verdict_on) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server)])
            schema = server.calls[0].body["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["verdict"]["enum"] == ["FIRST", "SECOND", "TIE"]
        with ChatServer(verdict_on, response_formats=(PLAIN,)) as server:
            run_judge(models, tmp_path / "plain", judges=[uri(server, "&concurrency=1")], journal=False)
            assert "response_format" not in server.calls[-1].body
        assert verdicts(tmp_path / "plain") == TRUTH
        with ChatServer(verdict_on, response_formats=(PLAIN, JSON_OBJECT)) as server:
            run_judge(models, tmp_path / "free", judges=[uri(server)], constrained=False, journal=False)
            assert not any("response_format" in call.body for call in server.calls)

    def test_the_version_that_answered_is_kept_and_a_change_of_it_named(self, models, tmp_path):
        with ChatServer(verdict_on, model="tiny-2026", fingerprint="fp_1") as server:

            def changes(number, body):
                server.fingerprint = "fp_1" if number < 30 else "fp_2"

            server.schedule = changes
            manifest = run_judge(models, tmp_path / "judged", judges=[uri(server, "&concurrency=1")])
        found = rows(tmp_path / "judged", "judge_calls")
        assert {row["provider_version"] for row in found} == {"tiny-2026@fp_1", "tiny-2026@fp_2"}
        assert {row["judge_model"] for row in found} == {"tiny"}
        assert manifest.warnings == ["judge tiny answered as 2 versions: tiny-2026@fp_1, tiny-2026@fp_2"]

    def test_what_failed_is_asked_again_where_no_reply_came(self, models, tmp_path):
        seen: Counter[str] = Counter()

        def fails_once(number, body):
            asked = body["messages"][-1]["content"]
            seen[asked] += 1
            return HTML if "About s0007" in asked and seen[asked] == 1 else None

        with ChatServer(verdict_on, schedule=fails_once) as server:
            judges = [uri(server, "&attempts=1")]
            first = run_judge(models, tmp_path / "judged", judges=judges)
            assert "--retry-failed 1" in first.failures[0]
            assert server.count == 48
            again = run_judge(models, tmp_path / "judged", judges=judges, retry_failed=1)
            assert server.count == 50
        assert again.failures == []
        assert verdicts(tmp_path / "judged") == TRUTH

    def test_each_round_of_asking_again_is_one_more_and_the_advice_names_the_next(self, models, tmp_path):
        """What still fails after a round is asked again by the next one, as often as was allowed."""
        with ChatServer(verdict_on, schedule=when("About s0007", HTML)) as server:
            judges = [uri(server, "&attempts=1")]
            made = []
            for rounds in range(3):
                found = run_judge(models, tmp_path / "judged", judges=judges, retry_failed=rounds, pilot_pairs=0)
                made.append(server.count)
                assert f"--retry-failed {rounds + 1} asks again" in found.failures[0]
        # Both orders of the one pair: once, then twice, then three times.
        assert made == [48, 48 + 4, 48 + 4 + 6]

    def test_nobody_is_told_to_ask_again_where_asking_would_change_nothing(self, tmp_path):
        listed = two_models(tmp_path, 6, better=lambda number: "a")
        with ChatServer(verdict_on, schedule=when("About s0003", CUT_TEXT)) as server:
            found = run_judge(listed, tmp_path / "judged", judges=[uri(server)], pilot_pairs=0)
        assert "1 malformed" in found.failures[0]
        assert "--retry-failed" not in found.failures[0]

    def test_a_kill_loses_no_finished_call(self, models, tmp_path):
        """The server dies in mid-run: what was answered is in the journal, and is not asked again."""
        with ChatServer(verdict_on) as server:
            server.schedule = lambda number, body: UNAUTHORISED if number >= 30 else None
            with pytest.raises(BackendError):
                run_judge(models, tmp_path / "judged", judges=[uri(server, "&concurrency=2")])
            answered = sum(call.fault is None for call in server.calls)
            assert answered == 30
            server.schedule = lambda number, body: None
            server.calls.clear()
            run_judge(models, tmp_path / "judged", judges=[uri(server, "&concurrency=2")])
            assert server.count == 48 - answered
        assert Journal(tmp_path / "journal.sqlite").failures() == []
        assert verdicts(tmp_path / "judged") == TRUTH

    def test_every_state_keeps_its_name(self, tmp_path):
        """All six states side by side: none is turned into another."""
        models = two_models(tmp_path, 6, better=lambda number: ("a", "b", "neither")[min(number, 2)])

        def says(ask: Ask) -> str:
            number = int(ask.last.split("About s")[1][:4])
            return {3: '{"verdict": "FIRST"}', 4: "Hm."}.get(number) or verdict_on(ask)

        with ChatServer(says, schedule=when("About s0005", HTML)) as server:
            run_judge(models, tmp_path / "judged", judges=[uri(server, "&attempts=1")])
        assert list(verdicts(tmp_path / "judged").values()) == [state.value for state in Verdict]
