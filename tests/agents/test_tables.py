"""Tables and plots of results."""

from __future__ import annotations

import errno
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from agents.__main__ import main
from agents.benchmark import plots, tables
from agents.errors import AgentsError

MACHINE = {"cpu": "A processor", "cores": 2, "system": "Linux", "gpu": None}


def experiment(policy: str, env: str, demos: int | None, **more: Any) -> dict[str, Any]:
    """The experiment.json of an experiment; `conditions` are {name: success}."""
    conditions = more.pop("conditions", {"seen": 0.5})
    made: dict[str, Any] = {
        "name": f"{policy}-{env}-{demos}", "kind": "single", "policy": policy, "envs": [env],
        "pool": None, "demos": demos, "start": None, "pool_demos": None, "group": None, "seed": 0,
        "variant": None,
        "commands": ["train it"], "seconds": {"train": 61.4, "evaluate": 2.0}, "machine": MACHINE,
        "versions": {"python": "3.11.7"},
    }  # fmt: skip
    rows = {
        name: [{"env": env, "success": rate, "episodes": 100, "success_interval": [0.4, 0.6],
                "return": rate + 0.05, "paired": None}]
        for name, rate in conditions.items()
    }  # fmt: skip
    made["conditions"] = {
        name: {"results": each, "seeds": [30_000, 30_099]} for name, each in rows.items()
    }
    return made | more


def results(*experiments: dict[str, Any], suite: str = "made", sha256: str = "x") -> dict[str, Any]:
    return {"suite": suite, "version": 1, "purpose": "Made for a test", "sha256": sha256,
            "total": len(experiments), "experiments": list(experiments), "failed": []}  # fmt: skip


def lines(text: str, start: str) -> list[str]:
    """Lines of the tables of results."""
    return [line for line in text.split("### How")[0].splitlines() if line.startswith(start)]


def test_experiments_that_have_not_run_are_counted() -> None:
    some = results(experiment("oracle", "gensim/A-v0", None, conditions={"seen": 1.0}))
    assert "experiments of this suite" not in tables.markdown(some)
    assert "1 of the 7 experiments of this suite have run" in tables.markdown(some | {"total": 7})


def test_policies_are_rows_and_tasks_columns() -> None:
    text = tables.markdown(
        results(
            experiment("oracle", "gensim/A-v0", None, conditions={"seen": 1.0}),
            experiment("oracle", "gensim/B-v0", None, conditions={"seen": 0.9, "unseen": 0.7}),
            experiment("cloner", "gensim/A-v0", 1, conditions={"seen": 0.5}),
        )
    )
    assert lines(text, "| policy") == ["| policy | A-v0 | B-v0 | B-v0, unseen | mean |"]
    assert lines(text, "| oracle |") == [
        "| oracle | 100 (40-60), 105 | 90 (40-60), 95 | 70 (40-60), 75 | 95.0, 100.0 |"
    ]
    # One of two tasks: a mean would compare with nothing.
    assert lines(text, "| cloner,") == ["| cloner, 1 demo | 50 (40-60), 55 |  |  |  |"]
    assert "| cloner, 1 demo | 1 | 0 | 30000..30099 | 61 | 2 | 1 |" in text
    assert "1. A processor, 2 cores; python 3.11.7" in text
    assert "perturbations" not in text and "Failed" not in text


def test_many_tasks_are_rows() -> None:
    text = tables.markdown(results(*(experiment("oracle", f"gensim/{k}-v0", None) for k in "ABC")))
    assert lines(text, "| task") == ["| task | oracle |"]
    assert lines(text, "| B-v0") == ["| B-v0 | 50 (40-60), 55 |"]
    assert lines(text, "| mean") == ["| mean | 50.0, 55.0 |"]


def test_each_list_of_tasks_has_a_mean() -> None:
    rates = {"A": 0.2, "B": 0.4, "C": 0.9}
    text = tables.markdown(
        results(
            *(
                experiment("t", f"gensim/{env}-v0", 5, conditions={"seen": rate}, group=group)
                for (env, rate), group in zip(rates.items(), ("near", "near", "far"), strict=True)
            )
        )
    )
    assert lines(text, "| mean") == ["| mean, near | 30.0, 35.0 |", "| mean | 50.0, 55.0 |"]


def test_seeds_are_averaged_and_have_a_range() -> None:
    runs = [(0, "A", 0.2), (0, "B", 0.4), (1, "A", 0.8), (1, "B", 0.6), (2, "A", 0.5)]
    text = tables.markdown(
        results(
            *(
                experiment("t", f"gensim/{env}-v0", 5, conditions={"seen": rate, "light": rate},
                           seed=seed, name=f"t-{env}-{seed}")
                for seed, env, rate in runs
            )
        )
    )  # fmt: skip
    assert lines(text, "| A-v0") == ["| A-v0 | 50 (20-80), 55 |"]
    assert lines(text, "| B-v0") == ["| B-v0 | 50 (40-60), 55 |"]
    # Seed 2 was not evaluated on both.
    assert lines(text, "| mean") == ["| mean | 50.0 (30.0-70.0), 55.0 |"]
    assert "several training seeds" in text
    assert lines(text, "| t, 5 demos: A")[0].endswith("| 50 (20-80), 55 | 50 (20-80), 55 |")
    assert "several training seeds" not in tables.markdown(results(experiment("t", "A", 5)))


def test_variants_have_their_own_rows() -> None:
    made = (experiment("t", "A", 5, variant=each, name=f"t-{each}") for each in (None, "moved"))
    text = tables.markdown(results(*made))
    assert lines(text, "| policy") == ["| policy | A |"]
    assert [line.split(" | ")[0] for line in lines(text, "| t, ")] == [
        "| t, 5 demos", "| t, moved, 5 demos",
    ]  # fmt: skip


def test_means_do_not_depend_on_the_order_of_tasks() -> None:
    rates = (0.01, 0.02, 0.03, 0.15)  # added up as floats, 5.2 or 5.3 %
    shown = set()
    for order in itertools.permutations(rates):
        each = zip("ABCD", order, strict=True)
        made = [experiment("t", f"gensim/{k}-v0", 5, conditions={"seen": r}) for k, r in each]
        shown.update(lines(tables.markdown(results(*made)), "| mean"))
    assert len(shown) == 1


def test_perturbations_and_failures_have_their_own_places() -> None:
    data = results(experiment("t", "gensim/A-v0", 10, conditions={"seen": 0.9, "light": 0.4}))
    (light,) = data["experiments"][0]["conditions"]["light"]["results"]
    light["paired"] = {"both": 38, "gained": 2, "lost": 52, "neither": 8}
    data["failed"] = [{"name": "t-gensim/B-v0-10", "error": "no loss"}]
    text = tables.markdown(data)
    assert lines(text, "| t, 10 demos: A-v0") == [
        "| t, 10 demos: A-v0 | 90 (40-60), 95 | 40 (40-60), 45 |",
        "| t, 10 demos: A-v0 | -50 (-60 to -38) |",
    ]
    assert "### Failed\n\n- t-gensim/B-v0-10: no loss" in text


def few_shot() -> dict[str, Any]:
    """Two pools, one new task, and a larger run on the second pool."""
    experiments = [experiment("t", "gensim/N-v0", 5, conditions={"seen": 0.2})]
    for pool, size, each, rates in (
        ("five", 5, 50, (0.1, 0.4)), ("ten", 10, 50, (0.3, 0.8)), ("ten", 10, 100, (0.5, 0.9)),
    ):  # fmt: skip
        name = f"t-{pool}-{each}"
        experiments.append(
            experiment(
                "t",
                "",
                each,
                name=name,
                kind="multi",
                pool=pool,
                conditions={},
                envs=["E"] * size,
            )
        )
        for demos, rate in zip((0, 5), rates, strict=True):
            kind = "few-shot" if demos else "zero-shot"
            experiments.append(
                experiment("t", "gensim/N-v0", demos, name=f"{name}-N-{demos}", kind=kind,
                           pool=pool, start=name, pool_demos=each,
                           conditions={"seen": rate})
            )  # fmt: skip
    return results(*experiments)


def test_transfer_is_over_the_number_of_tasks_and_scratch_is_none() -> None:
    curves = plots.over_tasks(few_shot()["experiments"])
    means = {name: {x: mean for x, (mean, *_) in each.items()} for name, each in curves.items()}
    assert means == {"t, 5 demos": {0: 0.2, 5: 0.4, 10: 0.8}, "t, zero-shot": {5: 0.1, 10: 0.3}}
    text = tables.markdown(few_shot())
    assert lines(text, "| t, pretrained on ten") == [
        "| t, pretrained on ten (50 demos per task), zero-shot | 30 (40-60), 35 |",
        "| t, pretrained on ten (50 demos per task), 5 demos | 80 (40-60), 85 |",
        "| t, pretrained on ten (100 demos per task), zero-shot | 50 (40-60), 55 |",
        "| t, pretrained on ten (100 demos per task), 5 demos | 90 (40-60), 95 |",
    ]  # fmt: skip


def test_curves_are_means_over_seeds() -> None:
    data = few_shot()["experiments"]
    other = [
        each | {"seed": 1, "name": each["name"].replace("t-ten-50", "t-ten-50-seed1"),
                "start": each["start"] and "t-ten-50-seed1"}
        for each in data
        if "t-ten-50" in (each["name"], each["start"])
    ]  # fmt: skip
    for each in other:
        each["conditions"] = {
            name: found | {"results": [r | {"success": 0.5} for r in found["results"]]}
            for name, found in each["conditions"].items()
        }
    curves = plots.over_tasks(data + other)
    assert curves["t, zero-shot"][10] == pytest.approx((0.4, 0.3, 0.5))
    assert curves["t, 5 demos"][10] == pytest.approx((0.65, 0.5, 0.8))


def test_variants_and_pools_of_one_size_have_no_common_curve() -> None:
    plain = [experiment("t", "A", demos, conditions={"seen": demos / 100}) for demos in (10, 100)]
    other = experiment("t", "A", 100, conditions={"seen": 0.0}, variant="moved", name="other")
    curves = plots.over_demos([*plain, other])
    assert {x: mean for x, (mean, *_) in curves["t"].items()} == {10: 0.1, 100: 1.0}
    data = few_shot()["experiments"]
    rival = [each | {"pool": "rival", "name": each["name"].replace("t-ten-50", "t-rival-50"),
                     "start": each["start"] and "t-rival-50",
                     "conditions": {name: found | {"results": []}
                                    for name, found in each["conditions"].items()}}
             for each in data if "t-ten-50" in (each["name"], each["start"])]  # fmt: skip
    assert plots.over_tasks(data + rival) == plots.over_tasks(data)


def test_differences_are_of_the_episodes_of_all_seeds() -> None:
    made = []
    for seed, lost, gained in ((0, 50, 0), (1, 0, 10)):
        each = experiment("t", "A", 5, conditions={"seen": 0.9, "light": 0.4}, seed=seed,
                          name=f"t{seed}")  # fmt: skip
        paired = {"both": 40, "gained": gained, "lost": lost, "neither": 60 - lost - gained}
        each["conditions"]["light"]["results"][0]["paired"] = paired
        made.append(each)
    text = tables.markdown(results(*made))
    assert lines(text, "| t, 5 demos: A")[1] == "| t, 5 demos: A | -20 (-27 to -13) |"


def test_means_over_tasks_have_the_error_of_their_episodes() -> None:
    experiments = [
        experiment("t", f"gensim/{env}-v0", demos, conditions={"seen": rate})
        for demos, rates in ((10, (0.5, 0.5)), (100, (1.0, 0.8)))
        for env, rate in zip("AB", rates, strict=True)
    ]
    curve = plots.over_demos(experiments)["t"]
    for x, mean, error in ((10, 0.5, 0.05 / 2**0.5), (100, 0.9, 0.02)):
        assert curve[x] == pytest.approx((mean, mean - 1.96 * error, mean + 1.96 * error))
    assert plots.over_demos(experiments[:2]) == {}  # one point is no curve


def test_points_of_a_curve_are_means_over_the_same_tasks() -> None:
    rates = {("A", 1): 0.2, ("A", 10): 0.4, ("B", 1): 0.6, ("B", 10): 1.0, ("C", 100): 0.0}
    experiments = [
        experiment("t", f"gensim/{env}-v0", demos, conditions={"seen": rate})
        for (env, demos), rate in rates.items()
    ]
    means = {x: mean for x, (mean, *_) in plots.over_demos(experiments)["t"].items()}
    assert means == pytest.approx({1: 0.4, 10: 0.7})  # nothing else is known of C
    del experiments[2]  # B of one demonstration
    assert list(plots.over_demos(experiments)["t"].values())[1][0] == pytest.approx(0.4)


def test_plots_are_drawn_where_there_are_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert plots.plot(few_shot(), tmp_path) == ["success_over_tasks.png"]
    assert (tmp_path / "success_over_tasks.png").read_bytes().startswith(b"\x89PNG")


def full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "no space")


def test_a_disk_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "results.json").write_text(json.dumps(few_shot()))
    for folder, said in ((Path("/proc/no"), "cannot be"), (tmp_path / "new", "no space is left")):
        command = [str(tmp_path / "results.json"), "--plots", str(folder)]
        if folder.parent == tmp_path:
            monkeypatch.setattr("os.fsync", full)
        assert main(["tables", *command]) == 1
        assert said in capsys.readouterr().err


def test_results_of_one_suite_are_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = results(experiment("oracle", "gensim/A-v0", None))
    there = results(experiment("cloner", "gensim/A-v0", 1, machine={**MACHINE, "gpu": "A card"}))
    other = results(suite="made", sha256="y")
    paths = [tmp_path / f"{k}.json" for k in range(3)]
    for path, data in zip(paths, (here, there, other), strict=True):
        path.write_text(json.dumps(data))
    assert main(["tables", *map(str, paths[:2])]) == 0
    text = capsys.readouterr().out
    assert "| oracle |" in text and "| cloner, 1 demo |" in text
    assert "2. A processor, 2 cores, A card; python 3.11.7" in text
    with pytest.raises(AgentsError, match="another version of suite 'made'"):
        tables.load(paths)
    paths[0].write_text("[]")
    assert main(["tables", str(paths[0])]) == 2
    assert "is not a results.json" in capsys.readouterr().err


def test_a_file_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    path, other = tmp_path / "one.json", tmp_path / "other.json"
    path.write_text(json.dumps(results(experiment("oracle", "gensim/A-v0", None))))
    (joined,) = tables.load([path, path])
    assert len(joined["experiments"]) == 1
    changed = experiment("oracle", "gensim/A-v0", None, conditions={"seen": 0.1})
    other.write_text(json.dumps(results(changed)))
    with pytest.raises(AgentsError, match="other results of oracle-gensim/A-v0-None"):
        tables.load([path, other])


def test_any_number_of_machines_is_listed() -> None:
    every = [
        experiment("oracle", f"gensim/{k}-v0", None, machine={**MACHINE, "cpu": f"cpu {k}"})
        for k in range(30)
    ]
    text = tables.markdown(results(*every))
    assert "30. cpu 29, 2 cores" in text
    assert (
        f"| oracle | 30 | 0 | 30000..30099 | 61 | 2 | {', '.join(map(str, range(1, 31)))} |" in text
    )


def test_the_document_shows_the_results_that_ship() -> None:
    docs = Path(__file__).parents[2] / "docs"
    shown = [
        tables.markdown(results)
        for results in tables.load(sorted((docs / "results").glob("*.json")))
    ]
    text = (docs / "results.md").read_text(encoding="utf-8")
    assert shown and all(table.strip() in text for table in shown)
