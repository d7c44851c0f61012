import sys

from spatial_adversarial.results.shared_runs import Fetching, choose, wanted_runs


def choose_runs_to_fetch():
    """The runs that others offer, or that came from them before; a job by itself, which trains none, asks nothing."""
    if not workflow.is_main_process:
        return Fetching()
    try:
        fetching = choose(wanted_runs(catalog), catalog.config["runs_from"])
    except ValueError as error:
        raise WorkflowError(f"config: runs_from: {error}") from None
    for line in fetching.lines():
        print(line, file=sys.stderr)
    return fetching


fetching = choose_runs_to_fetch()
# within the pattern of a rule's outputs, where /seed<k>/ follows the run
FETCHED_RUNS = "|".join(f"{re.escape(run)}/" for run in sorted(fetching.runs))


def not_fetched(runs):
    """The pattern of `runs`, without the seeds of them that are fetched."""
    return f"(?!{FETCHED_RUNS})(?:{runs})" if FETCHED_RUNS else runs


# One rule for each rule that trains, of the same outputs: a run is made by one or by the other, for good.
for trainer, (kept, runs) in inputs.trainers().items() if FETCHED_RUNS else ():

    rule:
        name:
            trainer.replace("train", "fetch_run")
        output:
            weights=paths.weights(),
            history=paths.history(),
            run=paths.run_record(),
            kept=[paths.weights(name=name) for name in kept],
        log:
            paths.log("fetch_run/{run}/seed{seed}"),
        wildcard_constraints:
            run=f"(?={FETCHED_RUNS})(?:{runs})",
        localrule: True  # a cluster's compute nodes may have no network
        conda:
            ENVIRONMENT
        params:
            recipe=inputs.run_identity,
            data=inputs.data_identity,
            # where it lies fetches nothing again: what asks for the output is no trigger
            prepared=lambda wildcards, output: inputs.data(wildcards),
        message:
            "Fetch {wildcards.run}, seed {wildcards.seed}, which is not trained."
        script:
            "../workflow_scripts/fetch_run.py"
