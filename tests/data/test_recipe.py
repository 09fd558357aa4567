from pathlib import Path

import pytest
import toy_stages

from sage_data.errors import ConfigError, InputError
from sage_data.recipe.load import Outside, apply_override, find_recipe, load_recipe, shipped_recipes
from sage_data.recipe.plan import plan_run
from sage_data.recipe.run import Selection, run_recipe, saved_recipe
from sage_data.stage import Need

TWO = """
version: 1
name: two
seed: 3
stages:
  second: {uses: toy_stages, inputs: {numbers: first}, with: {shards: 2}}
  first: {uses: toy_stages, with: {shards: 3}}
  third: {uses: toy_stages, inputs: {numbers: second}}
"""


def write(tmp_path: Path, text: str = TWO) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def states(path: Path, run_dir: Path, *overrides: str) -> dict[str, str]:
    return {one.name: str(one.state) for one in plan_run(load_recipe(path, overrides), run_dir)}


class TestLoad:
    def test_order_follows_inputs(self, tmp_path: Path) -> None:
        assert load_recipe(write(tmp_path)).order() == ["first", "second", "third"]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("shards: 3", "shardz: 3", r"unknown key 'shardz'; did you mean 'shards'"),
            ("shards: 3", "shards: many", r"shards: .*valid integer.*found 'many'"),
            ("numbers: first", "numberz: first", r"unknown input 'numberz'; did you mean 'numbers'"),
            ("numbers: first", "numbers: frist", r"reads 'frist', which is no stage; did you mean 'first'"),
            ("numbers: first", "numbers: third", r"in a circle"),
            ("first:", "../first:", r"stages"),
            ("numbers: first", "numbers: [first, first]", r"takes one folder, found 2"),
            ("numbers: first", "numbers: {path: nowhere}", r"nowhere: no such file"),
            ("seed: 3", "sed: 3", r"unknown key 'sed'; did you mean 'seed'"),
            ("seed: 3", "seed: 3\nseed: 4", r"a key stands twice"),
            ("version: 1", "version: 2", r"version"),
            ("uses: toy_stages, with: {shards: 3}", "uses: toy_stagez", r"no stage module 'toy_stagez'"),
            (TWO, "- a\n- b\n", r"expected a mapping"),
            (TWO, "a: [", r"not readable as YAML"),
        ],
    )
    def test_mistakes_are_named(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load_recipe(write(tmp_path, TWO.replace(old, new)))

    def test_yaml_one_point_two_scalars(self, tmp_path: Path) -> None:
        path = write(tmp_path, TWO.replace("with: {shards: 3}", "with: {shards: 3, pause_s: 1e-5}"))
        assert load_recipe(path).config("first").model_dump()["pause_s"] == 1e-5

    def test_a_key_that_the_recipe_leaves_out_can_be_set(self, tmp_path: Path) -> None:
        assert load_recipe(write(tmp_path)).offline
        assert not load_recipe(write(tmp_path), ["offline=false"]).offline

    def test_overrides(self, tmp_path: Path) -> None:
        recipe = load_recipe(write(tmp_path), ["first.shards=5", "stages.second.with.rows=6", "seed=9"])
        assert recipe.config("first").model_dump()["shards"] == 5
        assert recipe.config("second").model_dump()["rows"] == 6
        assert recipe.seed == 9
        for wrong in ("first", "frist.shards=5", "=3", "first.rows.deep=1"):
            with pytest.raises(ConfigError, match="--set"):
                apply_override({"stages": {"first": {"with": {"rows": 3}}}}, wrong)
        raw: dict[str, object] = {"stages": {"first": {"with": None}}}
        apply_override(raw, "first.rows=3")
        assert raw == {"stages": {"first": {"with": {"rows": 3}}}}

    def test_unknown_recipe_names_a_close_one(self) -> None:
        with pytest.raises(ConfigError, match="did you mean 'quickstart'"):
            find_recipe("quickstrat")

    @pytest.mark.parametrize("name", sorted(shipped_recipes()))
    def test_every_shipped_recipe_loads(self, name: str) -> None:
        assert load_recipe(find_recipe(name)).stages


class TestPlanAndRun:
    def test_life_of_a_run(self, tmp_path: Path) -> None:
        path, run_dir = write(tmp_path), tmp_path / "run"
        assert states(path, run_dir) == {"first": "missing", "second": "missing", "third": "missing"}
        first = run_recipe(load_recipe(path), run_dir)
        assert states(path, run_dir) == {"first": "fresh", "second": "fresh", "third": "fresh"}
        again = run_recipe(load_recipe(path), run_dir)
        assert again == first

    def test_a_change_is_stale_with_its_reason_and_reaches_downstream(self, tmp_path: Path) -> None:
        path, run_dir = write(tmp_path), tmp_path / "run"
        run_recipe(load_recipe(path), run_dir)
        plans = plan_run(load_recipe(path, ["second.shards=4"]), run_dir)
        assert [(one.name, str(one.state), one.reasons) for one in plans] == [
            ("first", "fresh", ()),
            ("second", "stale", ("config shards: 2 -> 4",)),
            ("third", "stale", ("input second is stale",)),
        ]
        run_recipe(load_recipe(path, ["second.shards=4"]), run_dir)
        plans = plan_run(load_recipe(path, ["first.shards=4", "second.shards=4"]), run_dir)
        assert plans[0].reasons == ("config shards: 3 -> 4",)

    def test_same_bytes_upstream_leave_downstream_fresh(self, tmp_path: Path) -> None:
        path, run_dir = write(tmp_path), tmp_path / "run"
        run_recipe(load_recipe(path), run_dir)
        changed = load_recipe(path, ["first.pause_s=0.001"])
        ran = []
        run_recipe(changed, run_dir, on_stage=lambda name, _, did: ran.append(name) if did else None)
        assert ran == ["first"]

    def test_a_stage_that_reads_manifests_sees_a_changed_option_through_equal_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        need = Need("numbers", "folder of numbers", optional=True, manifest=True)
        monkeypatch.setattr(toy_stages, "INPUTS", (need,))
        path, run_dir = write(tmp_path), tmp_path / "run"
        run_recipe(load_recipe(path), run_dir)
        ran: list[str] = []
        changed = load_recipe(path, ["first.pause_s=0.001"])
        run_recipe(changed, run_dir, on_stage=lambda name, _, did: ran.append(name) if did else None)
        assert ran == ["first", "second", "third"]

    def test_references_below_a_stage_are_spelled_one_way(self, tmp_path: Path) -> None:
        text = TWO.replace("numbers: first}", "numbers: first/model/..//./model/}")
        path, run_dir = write(tmp_path, TWO.replace("numbers: first}", "numbers: first/./}")), tmp_path / "run"
        run_recipe(load_recipe(path), run_dir)
        run_recipe(load_recipe(path, ["first.rows=2"]), run_dir, Selection(only="first"))
        plans = {one.name: one for one in plan_run(load_recipe(path, ["first.rows=2"]), run_dir)}
        assert plans["second"].reasons == ("input numbers changed (first)",)
        with pytest.raises(InputError, match="wrote no"):
            plan_run(load_recipe(write(tmp_path, text), ["first.rows=2"]), run_dir)

    def test_selection(self, tmp_path: Path) -> None:
        path, run_dir = write(tmp_path), tmp_path / "run"
        recipe = load_recipe(path)
        run_recipe(recipe, run_dir, Selection(only="first"))
        assert states(path, run_dir) == {"first": "fresh", "second": "missing", "third": "missing"}
        run_recipe(recipe, run_dir)
        for selection, expected in [
            (Selection(start="second"), ["second", "third"]),
            (Selection(force=("first",)), ["first"]),
            (Selection(), []),
        ]:
            ran: list[str] = []
            run_recipe(
                recipe, run_dir, selection, on_stage=lambda name, _, did, ran=ran: ran.append(name) if did else None
            )
            assert ran == expected
        for wrong in (Selection(only="second", start="first"), Selection(only="second", force=("first",))):
            with pytest.raises(ConfigError, match="cannot be combined"):
                run_recipe(recipe, run_dir, wrong)
        with pytest.raises(ConfigError, match="first is stale"):
            run_recipe(load_recipe(path, ["first.shards=5"]), run_dir, Selection(only="second"))
        with pytest.raises(ConfigError, match="no stage 'fourth'"):
            run_recipe(recipe, run_dir, Selection(only="fourth"))

    def test_outside_inputs_are_hashed_and_found_from_anywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_recipe(load_recipe(write(tmp_path)), tmp_path / "made", Selection(only="first"))
        text = (
            "version: 1\nname: out\nstages:\n"
            "  next: {uses: toy_stages, inputs: {numbers: {path: made/first}}, with: {shards: 1}}\n"
        )
        (tmp_path / "out.yaml").write_text(text, encoding="utf-8")
        monkeypatch.chdir("/")
        run_recipe(load_recipe(tmp_path / "out.yaml"), tmp_path / "run")
        assert states(tmp_path / "out.yaml", tmp_path / "run") == {"next": "fresh"}
        run_recipe(load_recipe(tmp_path / "two.yaml", ["seed=8"]), tmp_path / "made", Selection(only="first"))
        (plan,) = plan_run(load_recipe(tmp_path / "out.yaml"), tmp_path / "run")
        assert plan.reasons == ("input numbers changed (first)",)

    def test_urls_pass_through_untouched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = (
            "version: 1\nname: out\nstages:\n"
            "  read: {uses: toy_stages, inputs: {dumps: [{path: 'memory://dumps-of-a-recipe//RC'}, {path: here}]}}\n"
        )
        path = write(tmp_path, text)
        with pytest.raises(ConfigError, match="unknown input 'dumps'"):
            load_recipe(path)
        monkeypatch.setattr(toy_stages, "INPUTS", (Need("dumps", "dumps", many=True),))
        with pytest.raises(ConfigError, match=r"stage read: input 'dumps': expected a local path"):
            load_recipe(path)
        monkeypatch.setattr(toy_stages, "INPUTS", (Need("dumps", "dumps", many=True, remote=True),))
        with pytest.raises(ConfigError, match="here: no such file"):
            load_recipe(path)
        (tmp_path / "here").write_text("x")
        references = load_recipe(path).stages["read"].references()["dumps"]
        assert [one.path for one in references if isinstance(one, Outside)] == [
            "memory://dumps-of-a-recipe//RC",
            str(tmp_path / "here"),
        ]
        with pytest.raises(InputError, match="memory://dumps-of-a-recipe//RC: no such file"):
            plan_run(load_recipe(path), tmp_path / "run")

    def test_the_saved_recipe_is_the_recipe(self, tmp_path: Path) -> None:
        recipe = load_recipe(write(tmp_path), ["first.rows=7"])
        run_recipe(recipe, tmp_path / "run")
        assert saved_recipe(tmp_path / "run") == recipe
        with pytest.raises(ConfigError, match="not a run folder"):
            saved_recipe(tmp_path)
