from dataclasses import dataclass
from typing import Any
import numpy as np


@dataclass(frozen=True, eq=False)
class Faces:
    boxes: Any
    scores: Any

    def __len__(self):
        return len(self.scores)
