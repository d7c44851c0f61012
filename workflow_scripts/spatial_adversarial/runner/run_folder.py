"""A finished run's folder: run.yaml tells what it was made from and what its files are, and is asked first."""

from pathlib import Path

import yaml

from spatial_adversarial.runner.files import digest, verify, write_checked

AGAIN = "delete it and run again"
FETCHED = "fetched.json"  # beside the files of a run that another made


def run_name(folder: str | Path) -> str:
    """<data>/<model>/<words>-<hash>/seed<k>: the run whose folder this is, wherever results lie."""
    return "/".join(Path(folder).absolute().parts[-4:])


def write_run(folder: Path, recipe: dict, seed: int, files: list[str], made_of: dict[str, str]) -> None:
    """Write run.yaml once all else is there: it makes the folder a finished run.

    files: names in the folder, whose checksums are kept; made_of: digests of the data set (`data`) and, where the run
    has them, of the weights that it began from (`start`) and of the images that it mixed in (`robust`).
    """
    record = {"run": run_name(folder), "recipe": recipe, "seed": seed, "made_of": made_of}
    record["files"] = {name: digest(folder / name) for name in files}
    write_checked(folder / "run.yaml", yaml.safe_dump(record, sort_keys=True).encode())


def read_run(folder: str | Path, *, data: str | None = None) -> dict:
    """What run.yaml tells: run, recipe, seed, made_of and files.

    ValueError, one line, where it is missing, damaged, another run's, or where the run was trained on other data than
    those with the digest `data`.
    """
    path = Path(folder) / "run.yaml"
    try:
        verify(path)
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file: the run is not finished") from None
    if record["run"] != run_name(folder):
        raise ValueError(f"{path}: of another run, {record['run']}: {AGAIN}")
    if data is not None and record["made_of"]["data"] != data:
        raise ValueError(f"{path}: trained on another data set than the prepared one: {AGAIN}")
    return record


def checked(folder: str | Path, name: str, record: dict | None = None) -> Path:
    """A file of a finished run (`record` is its run.yaml); ValueError, one line, where it is not what the run wrote."""
    path, record = Path(folder) / name, record or read_run(folder)
    if not path.exists():
        raise ValueError(f"{path}: no such file: delete {path.with_name('run.yaml')} and run again")
    if record["files"].get(name) != digest(path):
        raise ValueError(f"{path}: damaged, or not what this run wrote (see run.yaml): {AGAIN}")
    return path


def same(path: str | Path, record: dict, wanted: dict) -> None:
    """ValueError, one line, where what a result tells of its origin differs from what is `wanted`."""
    for key, value in wanted.items():
        if record.get(key) != value:
            raise ValueError(
                f"{path}: made from another {key} ({_short(record.get(key))}, not {_short(value)}): {AGAIN}"
            )


def _short(value) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:60]}...{text[-40:]}"
