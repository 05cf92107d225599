"""sentence-transformers: sentences to unit vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer


class Encodes(Protocol):
    """SentenceEncoder as far as most need it."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(len(texts), width), each row of length 1."""
        ...


class SentenceEncoder:
    """One S-BERT. Weights load as safetensors only, without remote code."""

    def __init__(self, path: Path) -> None:
        self._model = SentenceTransformer(
            str(path),
            device="cuda" if torch.cuda.is_available() else "cpu",
            local_files_only=True,
            # weights may be stored in half precision, where a cosine may fall on the other side of a threshold
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(len(texts), width), each row of length 1."""
        vectors = self._model.encode(
            list(texts), convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)
