"""Finished blocks of a long evaluation, kept beside its file until that is whole, so that no kill loses them."""

import io
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_adversarial.runner.files import verify, write_checked

Kept = Callable[[str, Callable[[], np.ndarray]], np.ndarray]


def not_kept(name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """What an evaluation that keeps nothing does with a block: makes it."""
    return make()


class Blocks:
    """The blocks of the evaluation `output`, in the folder <output>.blocks-<made_of>.

    made_of: a digest of all that the predictions depend on; blocks that were made of anything else are removed.
    """

    def __init__(self, output: str | Path, made_of: str):
        self.output = Path(output)
        self.folder = self.output.with_name(f"{self.output.name}.blocks-{made_of}")
        self._remove(but=self.folder)
        if self.folder.exists():
            logging.info("going on after %d finished blocks", len(list(self.folder.glob("[!.]*.npy"))))

    def __call__(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The block of that name, from the disk where it is finished, else made and kept."""
        path = self.folder / f"{name}.npy"
        try:
            verify(path)
            return np.load(path)
        except FileNotFoundError:
            pass
        except (ValueError, EOFError, OSError) as error:
            logging.warning("%s cannot be read (%s): made again", path, error)
        block = make()
        buffer = io.BytesIO()
        np.save(buffer, block)
        write_checked(path, buffer.getbuffer())
        return block

    def remove(self) -> None:
        """Forget all blocks: the evaluation is whole."""
        self._remove(but=None)

    def _remove(self, but: Path | None) -> None:
        for folder in self.output.parent.glob(f"{self.output.name}.blocks-*"):
            if folder != but:
                shutil.rmtree(folder)
