"""Finished runs between users: what is exported, what is fetched from folder or URL and why, in place of training."""

import functools
import http.server
import json
import re
import shutil
import threading
from pathlib import Path

import pytest
import yaml

from spatial_adversarial.catalog import Catalog, load
from spatial_adversarial.records.identity import released
from spatial_adversarial.results import run_index
from spatial_adversarial.results.shared_runs import choose, export_runs, fetch_run, wanted_runs
from spatial_adversarial.runner.files import digest
from spatial_adversarial.runner.run_folder import checked, read_run, write_run

ROOT = Path(__file__).parents[1]
SMALL = {"papers": ["invariance"], "report": False}


@pytest.fixture
def user(demo_config, tmp_path):
    """user(name, **changes): the catalog of a user with results and data of her own."""

    def catalog(name: str, **changes) -> Catalog:
        places = {"results": str(tmp_path / name / "results"), "data": str(tmp_path / name / "data")}
        return load(demo_config | SMALL | places | changes, ROOT / "figures")

    return catalog


def finish(catalog: Catalog, number: int) -> list[str]:
    """Leave the first runs as training leaves them, with bytes in place of weights; returns their names."""
    finished = list(wanted_runs(catalog))[:number]
    for k, wanted in enumerate(finished):
        wanted.folder.mkdir(parents=True)
        for name in set(wanted.files) - {"run.yaml"}:
            (wanted.folder / name).write_text(f"{name} of run {k}")
        (wanted.folder / "provenance.json").write_text(json.dumps({"seconds": 1.5 + k}))
        path, _, seed = wanted.run.rpartition("/seed")
        files = [name for name in wanted.files if name != "run.yaml"]
        write_run(wanted.folder, released(catalog.recipe(path)), int(seed), files, {"data": "images"})
    return [wanted.run for wanted in finished]


@pytest.fixture
def exported(user, tmp_path) -> tuple[Path, list[str]]:
    """(a folder with three exported runs, their names)."""
    runs = finish(user("anna"), 3)
    assert export_runs(user("anna"), tmp_path / "shared") == dict.fromkeys(runs, "")
    return tmp_path / "shared", runs


@pytest.fixture
def served(exported):
    """The URL at which a local server has the exported folder."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(exported[0]))
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()


def wanted(catalog: Catalog, run: str):
    return next(one for one in wanted_runs(catalog) if one.run == run)


def edit_index(folder: Path, run: str, **changes) -> None:
    index = json.loads((folder / "index.json").read_text())
    index["runs"][run] |= changes
    (folder / "index.json").write_text(json.dumps(index))


def test_the_index_tells_checksums_sizes_and_seconds(exported, user):
    folder, runs = exported
    index = json.loads((folder / "index.json").read_text())["runs"]
    assert list(index) == sorted(runs)
    entry = index[runs[1]]
    assert entry["seconds"] == 2.5 and entry["images"] == "images"
    assert entry["recipe"].startswith(runs[1].split("/")[2].rpartition("-")[2])  # the hash in the run's name
    assert entry["data"] == user("anna").data_identity("digits")
    assert {"weights.pt", "history.csv", "run.yaml", "provenance.json"} <= set(entry["files"])
    for name, told in entry["files"].items():
        content = (folder / "runs" / runs[1] / name).read_bytes()
        assert told == {
            "sha256": digest(folder / "runs" / runs[1] / name),
            "bytes": len(content),
        }


@pytest.mark.parametrize("by", ["folder", "file", "http"])
def test_a_run_comes_by_folder_or_url_as_it_was_made(exported, served, user, by):
    folder, runs = exported
    source = {"folder": str(folder), "file": folder.as_uri(), "http": served}[by]
    there = user("berta")
    chosen = choose(wanted_runs(there), [source])
    assert chosen.offered == dict.fromkeys(runs, source)
    others = [one.run for one in wanted_runs(there) if one.run not in runs]
    assert {chosen.reasons[run] for run in others} == {f"not fetched: it is not in {source}"}
    one = wanted(there, runs[2])
    (one.folder).mkdir(parents=True)
    (one.folder / "resume.pt").touch()
    assert fetch_run(one, [source]) == source
    theirs = wanted(user("anna"), runs[2]).folder
    for name in (*one.files, "provenance.json"):
        assert (one.folder / name).read_bytes() == (theirs / name).read_bytes()
    assert checked(one.folder, "weights.pt", read_run(one.folder, data="images"))
    assert not (one.folder / "resume.pt").exists()
    assert choose(wanted_runs(there), [source]).there == {runs[2]}


def test_the_first_source_that_agrees_is_taken_and_none_is_read_when_all_are_there(exported, user, tmp_path):
    folder, runs = exported
    edit_index(folder, runs[0], recipe="0" * 64)
    export_runs(user("anna"), tmp_path / "second")
    chosen = choose(wanted_runs(user("berta")), [str(folder), str(tmp_path / "second")])
    assert chosen.offered == {
        runs[0]: str(tmp_path / "second"),
        runs[1]: str(folder),
        runs[2]: str(folder),
    }
    assert choose([wanted(user("anna"), runs[0])], [str(tmp_path / "nowhere")]).runs == set()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recipe": "0" * 64}, "its recipe is another"),
        ({"data": {"source": "digits", "train": 3}}, "its data set is another"),
        ({"files": {"run.yaml": {"sha256": "", "bytes": 0}}}, "it lacks weights.pt, history.csv"),
    ],
)
def test_what_does_not_agree_is_refused_with_its_reason(exported, user, changes, reason):
    folder, runs = exported
    edit_index(folder, runs[0], **changes)
    chosen = choose(wanted_runs(user("berta")), [str(folder)])
    assert set(chosen.offered) == set(runs[1:])
    assert chosen.reasons[runs[0]].startswith(f"not fetched: {folder}: {reason}")


def test_each_run_has_a_line_that_says_why_it_is_or_is_not_fetched(exported, user):
    folder, runs = exported
    there = user("berta")
    finish(there, 2)
    shutil.rmtree(wanted(there, runs[0]).folder)  # the second alone is trained here
    fetch_run(wanted(there, runs[0]), [str(folder)])
    edit_index(folder, runs[2], recipe="0" * 64)
    export_runs(user("anna"), folder.parent / "second")
    edit_index(folder.parent / "second", runs[2], data={"source": "digits"})
    sources = [str(folder), str(folder.parent / "second")]
    two = f"{sources[0]}: its recipe is another; {sources[1]}: its data set is another (source, size or checksums)"
    expected = [
        f"runs_from: {runs[0]}: fetched by an earlier call",
        f"runs_from: {runs[1]}: not fetched: it is finished here",
        f"runs_from: {runs[2]}: not fetched: {two}",
    ]
    assert choose([wanted(there, run) for run in runs], sources).lines() == expected
    third = user("carla")
    assert choose([wanted(third, runs[0])], sources).summary("a.log") == [
        f"runs_from: {runs[0]}: fetched from {folder} if a target needs it: recipe, data set and files agree"
    ]


def test_many_runs_are_counted_by_reason_and_listed_in_a_log(exported, user):
    folder, _ = exported
    chosen = choose(wanted_runs(user("berta")), [str(folder)])
    number = len(chosen.reasons)
    assert number > 20 and len(chosen.lines()) == number
    assert chosen.summary("logs/runs_from.log") == [
        f"runs_from: 3 runs: fetched from {folder} if a target needs it: recipe, data set and files agree",
        f"runs_from: {number - 3} runs: not fetched: it is not in {folder}",
        f"runs_from: each of the {number} runs has a line in logs/runs_from.log",
    ]


def test_a_run_on_other_images_than_the_prepared_ones_is_refused(exported, user, prepared):
    folder, runs = exported
    there = user("berta")
    entry = there.registry["data"]["digits"]
    target = Path(there.config["data"], "digits.h5")
    target.parent.mkdir(parents=True)
    target.write_bytes(Path(prepared("digits", entry)).read_bytes())
    chosen = choose(wanted_runs(there), [str(folder)])
    assert not chosen.offered and all("other images than" in chosen.reasons[run] for run in runs)
    # and an export leaves out what was trained on others
    target = Path(user("anna").config["data"], "digits.h5")
    target.parent.mkdir(parents=True)
    target.write_bytes(Path(prepared("digits", entry)).read_bytes())
    said = export_runs(user("anna"), folder)
    assert list(said) == runs and all("another data set" in reason for reason in said.values())


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: flipped(run / "weights.pt"), "weights.pt has SHA-256"),
        (lambda run: flipped(run / "run.yaml"), "run.yaml has SHA-256"),
        (lambda run: (run / "history.csv").write_text("longer than it was" * 9), "more bytes than its index"),
    ],
)
def test_a_damaged_file_never_takes_its_name_and_the_run_is_then_trained(exported, user, damage, message):
    folder, runs = exported
    damage(folder / "runs" / runs[0])
    one = wanted(user("berta"), runs[0])
    with pytest.raises(ValueError, match=message) as error:
        fetch_run(one, [str(folder)])
    assert "\n" not in str(error.value) and not (one.folder / "run.yaml").exists()
    assert not list(one.folder.glob(".tmp-*"))
    chosen = choose(wanted_runs(user("berta")), [str(folder)])
    assert runs[0] not in chosen.runs and message in chosen.reasons[runs[0]]
    (one.folder / "refused.json").unlink()
    assert runs[0] in choose(wanted_runs(user("berta")), [str(folder)]).offered


def test_a_run_yaml_of_another_run_is_refused_though_its_checksum_holds(exported, user):
    folder, runs = exported
    other = (folder / "runs" / runs[1] / "run.yaml").read_bytes()
    (folder / "runs" / runs[0] / "run.yaml").write_bytes(other)
    files = json.loads((folder / "index.json").read_text())["runs"][runs[0]]["files"]
    files["run.yaml"] = {"sha256": digest(folder / "runs" / runs[0] / "run.yaml"), "bytes": len(other)}
    edit_index(folder, runs[0], files=files)
    with pytest.raises(ValueError, match=r"its run\.yaml is of another run"):
        fetch_run(wanted(user("berta"), runs[0]), [str(folder)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "index.json cannot be read"),
        ("[]", "no index of exported runs"),
        ('{"format": 2, "runs": {}}', "format 2, expected 1"),
        ('{"format": 1, "runs": {"a": {"recipe": ""}}}', "no index of exported runs"),
        ("{", "no index of exported runs"),
    ],
)
def test_an_index_that_cannot_be_used_is_one_line(tmp_path, content, message):
    if content is not None:
        (tmp_path / "index.json").write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        run_index.read_index(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", ["ftp://host/runs", "http://127.0.0.1:9/nothing"])
def test_a_url_that_cannot_be_read_is_one_line(source):
    with pytest.raises(ValueError, match=re.escape(source)):
        run_index.read_index(source)


def test_a_network_of_the_users_own_is_not_exported(user, tmp_path):
    (tmp_path / "mine.py").write_text("def build(channels, side, classes): ...\n")
    mine = {"label": "Mine", "file": str(tmp_path / "mine.py"), "builder": "build", "data": "mnist"}
    catalog = user("anna", own={"mine": mine | {"figures": ["invariance/fig1"]}})
    assert any("mine" in path for path in catalog.recipes)
    assert not [one.run for one in wanted_runs(catalog) if "mine" in one.run]


def test_snakemake_fetches_in_place_of_training_and_keeps_what_it_fetched(
    exported, snakemake, demo_config, tmp_path
):
    """Without data, in a folder with nothing in it; and a call without `runs_from` neither trains nor fetches again."""
    folder, runs = exported
    work = tmp_path / "work"
    work.mkdir()
    config = demo_config | SMALL
    files = [f"results/demo/runs/{run}/weights.pt" for run in runs]
    left = f"results/demo/runs/{list(wanted_runs(load(config, ROOT / 'figures')))[3].run}/weights.pt"
    status, said = snakemake(work, config | {"runs_from": [str(folder)]}, "--dry-run", *files, left)
    assert status == 0 and "runs_from: 3 runs: fetched from" in said, said
    log = (work / "results/demo/logs/runs_from.log").read_text()
    assert f"each of the {len(log.splitlines())} runs" in said
    assert all(f"runs_from: {run}: fetched from {folder} if" in log for run in runs)
    jobs = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    assert jobs["fetch_run"] == 3 and jobs["train"] == 1  # which alone needs the data
    status, said = snakemake(work, config | {"runs_from": [str(folder)]}, *files)
    assert status == 0 and not (work / "data").exists(), said
    for run in runs:
        assert (
            read_run(work / "results/demo/runs" / run)["recipe"]
            == yaml.safe_load((folder / "runs" / run / "run.yaml").read_text())["recipe"]
        )
    for sources in ([], [str(folder)]):
        status, said = snakemake(work, config | {"runs_from": sources}, "--dry-run", *files)
        assert status == 0 and "Nothing to be done" in said, said
