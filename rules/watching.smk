"""Before the first job, and while jobs run: the preflight, the list of jobs that status.py reads, a line a job."""

from spatial_adversarial.planning.job_costs import listed
from spatial_adversarial.planning.preflight import preflight
from spatial_adversarial.runner.status import Run, Status
from spatial_adversarial.runner.terminal import show_a_line_a_job


def begin():
    """Refuse what cannot end well, then list the jobs and show them; WorkflowError, a line for each fault."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.log]
    costs = [listed(job, requests().plan) for job in jobs]
    downloads = [job.wildcards.data for job in jobs if job.rule.name == "download"]
    found = preflight(
        config,
        catalog.registry["data"],
        [planned for _, planned in costs],
        downloads,
        here=workflow.local_exec,
    )
    if found.faults:
        raise WorkflowError("\n".join(found.faults))
    for line in found.warnings:
        logger.warning(line)
    run = Run([one for one, _ in costs])
    run.begin(paths.jobs)
    show_a_line_a_job(Status(run))


def end():
    """Say in the list of jobs that the run has ended."""
    Run.end(paths.jobs)
