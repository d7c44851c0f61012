"""README and docs as a newcomer reads them: commands in a fresh clone, valid YAML, links that lead somewhere."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_args

from spatial_adversarial.catalog import load
from spatial_adversarial.records.reading import Validator, merge, numbers, schema
from spatial_adversarial.reporting.schema_keys import Part, WithoutSentence
from spatial_adversarial.results import run_index

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md")]
PAGES += [*sorted((ROOT / "docs").glob("**/*.md")), ROOT / "benchmarks/README.md"]
PLACES = {
    "/path/to/folder": "mirror",
    "/path/to/runs": "shared",
}
# a section that adds a file to the library, which its YAML needs: tests/test_docs.py runs both
LIBRARY, IN_LIBRARY = "workflow_scripts/spatial_adversarial", r"(?:attacks|data|methods|metrics|panels)/"
ADDS_A_FILE = r"^```python\n# (?:attacks|data|methods|metrics|panels)/"
PAPERS = ("invariance", "tradeoff", "cusp", "features", "oaat")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language in a page's text."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    page: Path
    line: str

    @property
    def program(self) -> str:
        """What kind of command it is, "pip" where it installs."""
        return "pip" if re.search(r"\bpip install\b", self.line) else shlex.split(self.line)[0]

    @property
    def words(self) -> list[str]:
        return [
            PLACES.get(word, word) for word in shlex.split(re.sub(r"/path/to/\w+", self.place, self.line))
        ]

    @staticmethod
    def place(match: re.Match) -> str:
        return PLACES[match[0]]

    def __str__(self) -> str:
        return f"{name_of(self.page)}: {self.line[:90]}"


def commands() -> list[Command]:
    """Every command of the fenced blocks, once, its comment left out."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    lines = [
        (page, line) for page in PAGES for block in blocks(texts[page], "bash") for line in block.splitlines()
    ]
    found = [Command(page, re.sub(r"\s+#.*", "", line).strip()) for page, line in lines if line.strip()]
    return list({command.line: command for command in reversed(found)}.values())[::-1]


COMMANDS = commands()
SNAKEMAKE = [command for command in COMMANDS if command.program == "snakemake"]
OTHERS = [command for command in COMMANDS if command.program != "snakemake"]


def of_readme_first(found: list[Command]) -> list:
    """Those of the README as they are, those of other pages as slow tests."""
    quick = {ROOT / "README.md", ROOT / "CONTRIBUTING.md"}
    return [
        pytest.param(one, id=str(one), marks=[] if one.page in quick else pytest.mark.slow) for one in found
    ]


@pytest.fixture(scope="session")
def clone_of(tmp_path_factory):
    """clone_of(page) -> a fresh clone with the files that the page shows: each page has names of its own."""
    made: dict[Path, Path] = {}

    def of(page: Path) -> Path:
        if page not in made:
            made[page] = fresh_clone(tmp_path_factory)
            write_examples(page, made[page])
        return made[page]

    return of


def fresh_clone(tmp_path_factory) -> Path:
    """A fresh clone of the working tree: what git would have in it, nothing that was made."""
    folder = tmp_path_factory.mktemp("clone")
    asked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git repository to clone")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for place in ("mirror", "shared"):
        (folder / place).mkdir()
    run_index.write_index(folder / "shared", {})
    return folder


def write_examples(page: Path, folder: Path) -> None:
    """The files that a page's blocks show, each block beginning with its file's name."""
    text = page.read_text(encoding="utf-8")
    for language in ("yaml", "python"):
        for block in blocks(text, language):
            name = re.match(r"# (\S+)\n", block)[1]
            file = folder / (f"{LIBRARY}/{name}" if re.match(IN_LIBRARY, name) else name)
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(re.sub(r"/path/to/\w+", Command.place, block), encoding="utf-8")
    if "mine.pt" in text:
        (folder / "mine.pt").touch()
    if "mine.yaml" in text and not (folder / "mine.yaml").exists():
        (folder / "mine.yaml").write_text("seeds: [0, 1]\n", encoding="utf-8")


@pytest.mark.parametrize("command", of_readme_first(SNAKEMAKE))
def test_a_command_of_snakemake_is_one_in_a_fresh_clone(clone_of, command):
    """What trains is only planned; a report needs results, so that its target alone is planned."""
    clone, words = clone_of(command.page), command.words[1:]
    if "--profile profiles/slurm" in command.line and not importlib.util.find_spec(
        "snakemake_executor_plugin_slurm"
    ):
        pytest.skip("snakemake-executor-plugin-slurm is not installed")
    if words[0] == "--report":
        words = ["--cores", "1", *words[2:]]
    planned = [sys.executable, "-m", "snakemake", "--dry-run", *words, "--nolock"]
    if "--" in words:
        planned = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", *words]
    done = subprocess.run(planned, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.mark.parametrize("command", of_readme_first(OTHERS))
def test_any_other_command_names_what_is_there(clone_of, command):
    """Installing needs a network: its files are there. Scripts say what they would do, or parse their options."""
    clone, line, words = clone_of(command.page), command.line, command.words
    if command.program == "pip":
        files = re.findall(r"-r (\S+)", line)
        assert files and all((clone / file).is_file() for file in files)
    elif command.program == "pytest":
        marks = re.findall(r"-m (\w+)", line)
        known = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert all(f'"{mark}: ' in known for mark in marks)
    elif command.program == "python":
        told = subprocess.run([sys.executable, words[1], "--help"], cwd=clone, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert all(word in told.stdout for word in words[2:] if word.startswith("--"))
    elif command.program == "bash":
        assert "--dry-run" in words, "a script that takes hours is shown with --dry-run"
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(words, cwd=clone, capture_output=True, text=True, env={"PATH": path})
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    else:
        assert command.program in ("find", "mkdir", "docker", "conda"), f"say here how {line!r} is tested"
        subprocess.run(["bash", "-n", "-c", line], check=True)


@pytest.mark.parametrize("command", SNAKEMAKE, ids=str)
def test_snakemake_understands_a_command(command, clone_of, monkeypatch):
    """Each option and value, without a plan: `--resources gpu=4 all` is two resources for it, and fails."""
    monkeypatch.chdir(clone_of(command.page))
    if "profiles/slurm" in command.line and not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("snakemake-executor-plugin-slurm is not installed")
    _, parsed = parse_args(command.words[1:])
    assert [target for target in parsed.targets if target.endswith((".yaml", "="))] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "envs/Dockerfile"], ids=name_of)
def test_a_target_after_resources_stands_after_two_dashes(page):
    """Of the commands within sentences too."""
    for command in re.findall(r"snakemake [^`\n#]*", page.read_text(encoding="utf-8")):
        options = command.partition(" -- ")[0]
        for values in re.findall(r"--(?:resources|config)((?: (?!--)\S+)+)", options):
            assert all("=" in value for value in values.split()), command


def yaml_blocks() -> list:
    """The YAML of all pages, but for sections that add a file to the library."""
    found = []
    for page in PAGES:
        for section in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
            if not re.search(ADDS_A_FILE, section, re.MULTILINE):
                found += [(page, block) for block in blocks(section, "yaml")]
    return [pytest.param(block, id=f"{name_of(page)}: {block.splitlines()[0][2:]}") for page, block in found]


@pytest.mark.parametrize("block", yaml_blocks())
def test_a_yaml_example_is_valid_as_it_stands(block, full_config, specs, tmp_path, monkeypatch):
    """A config file, laid over this repository's, or a paper's file; test_docs has entries of the registry."""
    monkeypatch.chdir(tmp_path)
    name = re.match(r"# (\S+)\n", block)[1]
    for file in ("mine.py", "mine.pt"):
        Path(file).touch()
    if name.startswith("figures/"):
        (specs / Path(name).name).write_text(block, encoding="utf-8")
        assert load(full_config | {"papers": [Path(name).stem]}, specs).targets
    else:
        assert load(merge(full_config, yaml.safe_load(block)), specs).targets


def budgets() -> list[dict]:
    """What the table of budgets in docs/running.md writes as code: `key: value`, and further values of that key."""
    text = (ROOT / "docs/running.md").read_text(encoding="utf-8")
    table = text.partition("## Smaller budgets")[2].partition("\n\n| key | meaning |\n|---|---|\n")[2]
    found = []
    for row in table.partition("\n\n")[0].splitlines():
        first, *others = re.findall(r"`([^`]+)`", row.split(" | ")[0])
        (key,) = yaml.safe_load(first)
        found += [yaml.safe_load(first), *({key: yaml.safe_load(other)} for other in others)]
    return found


@pytest.mark.parametrize("budget", budgets(), ids=str)
def test_a_budget_of_the_table_is_one(budget, full_config):
    catalog = load(full_config | {"budget": budget}, ROOT / "figures")
    assert not catalog.refused(catalog.targets["invariance", "fig1"])
    assert catalog.reduced()


def anchors(page: Path) -> set[str]:
    """The places in a page that a link may name, as GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_figures_of_a_page_are_there(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_two_screens_and_has_all_papers_by_their_titles():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 95
    for paper in PAPERS:
        title = yaml.safe_load((ROOT / f"figures/{paper}.yaml").read_text(encoding="utf-8"))["title"]
        assert f"| `{paper}` | " in readme and title in readme


def test_all_papers_are_cited():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["references"]
    titles = [
        yaml.safe_load((ROOT / f"figures/{paper}.yaml").read_text(encoding="utf-8"))["title"]
        for paper in PAPERS
    ]
    assert [entry["title"] for entry in cited] == titles
    assert all(entry["year"] and entry["authors"] and entry["url"] for entry in cited)


def test_the_reference_is_what_its_command_makes():
    """In a process of its own: the attacks that other tests add to the registries stay in cached schemas."""
    code = "import sys, make_reference; sys.stdout.write(make_reference.reference())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT / "workflow_scripts", capture_output=True, text=True, check=True)
    made = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    assert made == done.stdout, "run python workflow_scripts/make_reference.py"


def test_a_key_without_a_sentence_makes_no_reference():
    schema = {
        "properties": {"told": {"type": "string", "description": "A text."}, "bare": {"type": "string"}}
    }
    keys = Part(schema, {}).keys(schema)
    assert next(keys).row() == "| `told` | text |  | A text. |  |"
    with pytest.raises(WithoutSentence, match="bare has no sentence"):
        next(keys)


def described(node, path: str = ""):
    """(path, schema) of every schema within a schema that has examples."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield path, node
        for key, inner in node.items():
            yield from described(inner, f"{path}.{key}")
    for k, inner in enumerate(node if isinstance(node, list) else ()):
        yield from described(inner, f"{path}.{k}")


@pytest.mark.parametrize("name", ["config", "paper", "registry", "recipe", "profile"])
def test_every_example_of_a_key_is_one(name):
    root = schema(name)
    for path, node in described(root):
        checked = Validator(node | {"$defs": root.get("$defs", {})})
        for example in node["examples"]:
            assert checked.is_valid(numbers(example)), f"{path}: {example}"


def test_the_reference_has_the_keys_of_every_file_and_their_defaults():
    """Independent of what makes the page: each key that config.yaml, a paper's file or a profile of figures/ uses."""
    page = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    rows = {row.split(" | ")[0].strip("| `"): row for row in page.splitlines() if row.startswith("| `")}
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    assert config.keys() <= rows.keys()
    assert "| `jobs_per_gpu` | whole number at least 1 | `1` | How many jobs share one GPU. | `2` |" in page
    for paper in PAPERS:
        spec = yaml.safe_load((ROOT / f"figures/{paper}.yaml").read_text(encoding="utf-8"))
        assert spec.keys() <= rows.keys()
        profiles = {key for profile in spec.get("profiles", {}).values() for key in profile}
        known = rows.keys() | {"attack", "transform"}
        assert {key for key in profiles if f"profiles.<name>.{key}" not in rows} <= known
        tests = [test for claim in spec["claims"].values() for test in claim["tests"].values()]
        assert {key for test in tests for key in test} <= rows.keys()


def test_architecture_has_every_package_and_what_it_names_is_there():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    library = ROOT / "workflow_scripts/spatial_adversarial"
    packages = {folder.name for folder in library.iterdir() if (folder / "__init__.py").exists()}
    assert set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)) == packages
    for path in re.findall(r"`([\w*./]+/[\w*.]*)`", text):
        places = (list(base.glob(path.rstrip("/"))) for base in (ROOT, library))
        assert any(places), path
