"""The library by itself, installed without the workflow."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
USE = """
from pathlib import Path
import spatial_adversarial
from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import read, schema
from spatial_adversarial.reporting import site
root = Path({root!r})
assert Path(spatial_adversarial.__file__).is_relative_to({target!r}), spatial_adversarial.__file__
assert {{file.name for file in (site.HERE / "templates").iterdir()}} == set({templates!r})
print(len(load(read(root / "config.yaml"), root / "figures").targets), len(schema("paper")))
"""


def test_the_library_installs_and_works_outside_the_clone(tmp_path):
    """Its dependencies are this environment's, whose pins the package names."""
    clone, target = tmp_path / "clone", tmp_path / "target"
    clone.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):  # a build leaves files beside its source
        shutil.copy(ROOT / name, clone)
    for name in ("workflow_scripts", "envs"):
        shutil.copytree(ROOT / name, clone / name)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    if int(version("setuptools").partition(".")[0]) >= 77:  # what pyproject.toml asks for; the lock has it
        install.append("--no-build-isolation")
    subprocess.run([*install, "--target", target, clone], check=True)
    metadata = next(target.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    assert "Requires-Dist: pyautoattack==0.2.0" in metadata and "Requires-Python:" in metadata
    templates = [file.name for file in (ROOT / "workflow_scripts").rglob("templates/*")]
    use = USE.format(root=str(ROOT), target=str(target), templates=templates)
    done = subprocess.run(
        [sys.executable, "-c", use],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all(int(number) > 0 for number in done.stdout.split())
