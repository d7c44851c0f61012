"""Where every file lies that the workflow writes: one method a kind of file, for rules, plan, scripts and site."""

from dataclasses import dataclass
from typing import ClassVar

LISTED = "listed/"  # in networks.json, before the name of a network of a table of architectures, at full size


@dataclass(frozen=True)
class Paths:
    """The paths below the config's folders `results`, `data` and `tidy`.

    A method's arguments are by default the wildcards of its rule, so that `paths.weights()` is what a rule declares
    and `paths.weights(run, seed)` one of its files. `run` is <data>/<model>/<words>-<hash>, without the seed.
    """

    RUN: ClassVar[str] = r"[\w.-]+/[\w.-]+/[\w.-]+"  # a pattern of runs

    results: str
    data: str = "data"
    tidy: str = ""

    @classmethod
    def of(cls, config: dict) -> "Paths":
        """The paths of a configuration; `tidy`, which `redraw` reads, is where figures are drawn unless it is set."""
        results, data = (config[name].rstrip("/") or "/" for name in ("results", "data"))
        return cls(results, data, (config.get("tidy") or f"{results}/figures").rstrip("/"))

    def raw(self, data: str = "{data}") -> str:
        """The manifest of a data set's downloaded files."""
        return f"{self.data}/raw/{data}.json"

    def prepared(self, data: str = "{data}") -> str:
        return f"{self.data}/{data}.h5"

    def run(self, run: str = "{run}", seed: int | str = "{seed}") -> str:
        """The folder of a trained run; runner/run_folder.py tells what lies in it."""
        return f"{self.results}/runs/{run}/seed{seed}"

    def weights(self, run: str = "{run}", seed: int | str = "{seed}", name: str = "weights") -> str:
        """The last weights of a run, or others that it keeps beside them (step<k>, averaged, best_robust)."""
        return f"{self.run(run, seed)}/{name}.pt"

    def history(self, run: str = "{run}", seed: int | str = "{seed}") -> str:
        return f"{self.run(run, seed)}/history.csv"

    def run_record(self, run: str = "{run}", seed: int | str = "{seed}") -> str:
        return f"{self.run(run, seed)}/run.yaml"

    def run_provenance(self, run: str = "{run}", seed: int | str = "{seed}") -> str:
        return f"{self.run(run, seed)}/provenance.json"

    def robust_images(self, run: str = "{run}", images: str = "{images}", kind: str = "h5") -> str:
        """D_R; the released set is that of the run "released"."""
        return f"{self.results}/robust_images/{run}/{images}.{kind}"

    def evaluation(self, run: str = "{run}", profile: str = "{profile}", seed: int | str = "{seed}") -> str:
        return f"{self.results}/evaluations/{run}/seed{seed}/{profile}.h5"

    def slice(self, run: str = "{run}", other: str = "{other}", seed: int | str = "{seed}") -> str:
        """The plane through the boundaries of a run and of another one, which goes by the end of its name."""
        return f"{self.results}/slices/{run}/seed{seed}/{other.split('/')[-1]}.h5"

    def aggregate(self, paper: str = "{paper}", target: str = "{target}") -> str:
        return f"{self.results}/aggregates/{paper}/{target}.h5"

    def figure(self, paper: str = "{paper}", target: str = "{target}", kind: str = "pdf") -> str:
        return f"{self.results}/figures/{paper}/{target}.{kind}"

    def table(self, paper: str = "{paper}", target: str = "{target}", kind: str = "md") -> str:
        return f"{self.results}/tables/{paper}/{target}.{kind}"

    def tidy_csv(self, paper: str = "{paper}", target: str = "{target}") -> str:
        """The CSV that `redraw` draws a figure from."""
        return f"{self.tidy}/{paper}/{target}.csv"

    def redrawn(self, paper: str = "{paper}", target: str = "{target}", kind: str = "pdf") -> str:
        return f"{self.results}/redrawn/{paper}/{target}.{kind}"

    def claims(self, paper: str = "{paper}") -> str:
        """A paper's claims, judged on our results."""
        return f"{self.results}/claims/{paper}.csv"

    def claims_published(self, paper: str = "{paper}") -> str:
        """A paper's claims, judged on its own numbers."""
        return f"{self.results}/claims_published/{paper}.csv"

    @property
    def all_claims(self) -> str:
        return f"{self.results}/claims.csv"

    @property
    def all_claims_published(self) -> str:
        return f"{self.results}/claims_published.csv"

    @property
    def networks(self) -> str:
        return f"{self.results}/networks.json"

    @property
    def calibration(self) -> str:
        return f"{self.results}/calibration.json"

    @property
    def plan(self) -> str:
        return f"{self.results}/plan.csv"

    @property
    def provenance(self) -> str:
        return f"{self.results}/provenance.csv"

    @property
    def site(self) -> str:
        return f"{self.results}/site/index.html"

    @property
    def report(self) -> str:
        return f"{self.results}/report.zip"

    @property
    def jobs(self) -> str:
        """The jobs of the latest call of Snakemake, for workflow_scripts/status.py."""
        return f"{self.results}/logs/jobs.json"

    def log(self, job: str) -> str:
        """The log of a job, by the rule's folder and wildcards, such as draw/{paper}/{target}."""
        return f"{self.results}/logs/{job}.log"

    def benchmark(self, job: str) -> str:
        return f"{self.results}/benchmarks/{job}.tsv"
