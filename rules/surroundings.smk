"""What is the workflow's own wherever it is started, by itself or as a module: its folder, its library, its config."""

import os
import sys

from snakemake.exceptions import WorkflowError

if sys.platform == "win32":
    raise WorkflowError("Windows: start it in WSL; it runs on Linux, whose file locks and signals it needs")
if not isinstance(workflow.current_basedir, os.PathLike):
    raise WorkflowError(
        "spatial-adversarial: as a module it needs a clone: give the path of the clone's Snakefile"
    )
HERE = Path(workflow.current_basedir).parent
AS_MODULE = not Path(workflow.main_snakefile).samefile(HERE / "Snakefile")
sys.path.insert(0, str(HERE / "workflow_scripts"))  # before any other library of this name

from spatial_adversarial.catalog import CatalogError
from spatial_adversarial.records.reading import merge, read
from spatial_adversarial.runner.command_line import (
    command_line,
    prepare_environment_of_jobs,
    replaced_config_files,
)

prepare_environment_of_jobs(sys.path[0])
# A profile's config files, in whose place --configfile was typed: below what was typed, here and in the jobs
PROFILES_OWN = [] if AS_MODULE else replaced_config_files(command_line(workflow), HERE)
workflow.config_settings.configfiles[:0] = PROFILES_OWN


def sound(file):
    """A config file, once it has been read; WorkflowError, one line with file and key, for what is wrong in it."""
    try:
        read(Path(file))
    except CatalogError as error:
        raise WorkflowError(str(error)) from None
    return str(file)


def config_files():
    """The repository's config, a config.yaml where Snakemake is started elsewhere, a profile's: each over the last.

    What --configfile names comes after them, by Snakemake. A module's outer workflow has a config.yaml of its own.
    """
    base, mine = HERE / "config.yaml", Path("config.yaml")
    files = [base]
    if not AS_MODULE:
        files += [mine] if mine.is_file() and not mine.samefile(base) else []
        files += PROFILES_OWN
    return files
