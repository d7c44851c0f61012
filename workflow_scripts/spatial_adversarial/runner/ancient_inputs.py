"""Jobs behind ancient inputs, which Snakemake 9.27 does not ask whether they have to run."""

from snakemake.dag import DAG


def look_behind_ancient_inputs() -> None:
    """Let jobs behind an ancient input have reasons of their own (Snakemake's issue 4166).

    Snakemake asks no job behind one that runs whether it has to run as well, since it will. Behind an input that is
    ancient and there it will not: a target that is missing, or made with other parameters, is then never planned.
    """
    plan = DAG.update_needrun

    async def update_needrun(dag: DAG, *arguments, **options) -> None:
        dag.bfs = lambda direction, job: _certain(direction, job)  # its only use in this method
        try:
            await plan(dag, *arguments, **options)
        finally:
            del dag.bfs

    DAG.update_needrun = update_needrun


def _certain(direction, job) -> list:
    """The job, and those that run because it does: not by an ancient input alone."""
    found, seen = [job], {job}
    for one in found:
        for other, files in direction[one].items():
            if other not in seen and not all(file.is_ancient for file in files):
                seen.add(other)
                found.append(other)
    return found
