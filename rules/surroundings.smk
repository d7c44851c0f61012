"""What is the workflow's own wherever it is started: its library, its drawing, its base config."""

import os
import sys

from snakemake.exceptions import WorkflowError

# before any other folder's library of this name, in jobs too: they inherit the environment
sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))
os.environ["MPLBACKEND"] = "agg"  # a notebook's own, which jobs would inherit, stops matplotlib
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [sys.path[0], os.environ.get("PYTHONPATH")]))

from spatial_adversarial.catalog import CatalogError
from spatial_adversarial.catalog.reading import read


def sound(file):
    """A config file, once it has been read; WorkflowError, one line with file and key, for what is wrong in it."""
    try:
        read(Path(file))
    except CatalogError as error:
        raise WorkflowError(str(error)) from None
    return file
