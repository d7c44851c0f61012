"""What is the workflow's own wherever it is started: its library, its drawing, its base config."""

import sys

from snakemake.exceptions import WorkflowError

if sys.platform == "win32":
    raise WorkflowError(
        "Windows: start it in WSL; it runs on Linux and macOS, whose file locks and signals it needs"
    )

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))  # before any other library of this name

from spatial_adversarial.catalog import CatalogError
from spatial_adversarial.records.reading import read
from spatial_adversarial.runner.command_line import prepare_environment_of_jobs

prepare_environment_of_jobs(sys.path[0])


def sound(file):
    """A config file, once it has been read; WorkflowError, one line with file and key, for what is wrong in it."""
    try:
        read(Path(file))
    except CatalogError as error:
        raise WorkflowError(str(error)) from None
    return file
