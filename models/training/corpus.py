"""Public Korean text in `CORPUS`: one reader a file. Sources and licences stand in models/bundled/README.md.

None of it is copied into this repository; `make bundled CORPUS=…` reads it where it lies.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from core.text import normalise


@dataclass(frozen=True)
class Corpus:
    """The folder with the public files."""

    root: Path

    def _rows(self, name: str, delimiter: str, *, quoted: bool) -> Iterator[dict[str, str]]:
        with (self.root / name).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(
                file, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            ):
                yield {key: normalise(value) for key, value in row.items() if isinstance(value, str)}

    def chatbot(self) -> list[tuple[str, str, int]]:
        """(question, answer, label): 0 daily life, 1 break-up, 2 love."""
        return [(r["Q"], r["A"], int(r["label"])) for r in self._rows("chatbot_data.csv", ",", quoted=True)]

    def utterances(self) -> list[str]:
        """Spoken utterances of 3i4k, without the labels."""
        lines = (self.root / "3i4k.tsv").read_text(encoding="utf-8").splitlines()
        return [normalise(line.split("\t", 1)[1]) for line in lines if "\t" in line]

    def paraphrase_groups(self) -> list[list[str]]:
        """paraKQC: ten consecutive lines of one intent are paraphrases of each other."""
        groups: dict[tuple[str, str], list[str]] = {}
        for line in (self.root / "parakqc.tsv").read_text(encoding="utf-8").splitlines():
            topic, group, text = line.split("\t", 2)
            groups.setdefault((topic, group), []).append(normalise(text))
        return [members[i : i + 10] for members in groups.values() for i in range(0, len(members), 10)]

    def question_pairs(self) -> list[tuple[str, str, bool]]:
        """(question, question, same meaning?)."""
        return [
            (r["question1"], r["question2"], r["is_duplicate"].strip() == "0")
            for name in ("question_pair_train.csv", "question_pair_test.csv")
            for r in self._rows(name, ",", quoted=True)
        ]

    def similarities(self) -> list[tuple[str, str, float]]:
        """KorSTS: (sentence, sentence, similarity in 0…1)."""
        return [
            (r["sentence1"], r["sentence2"], float(r["score"]) / 5)
            for name in ("korsts_train.tsv", "korsts_dev.tsv")
            for r in self._rows(name, "\t", quoted=False)
        ]

    def inferences(self) -> list[tuple[str, str, str]]:
        """XNLI: (premise, hypothesis, entailment | neutral | contradiction)."""
        return [
            (r["sentence1"], r["sentence2"], r["gold_label"])
            for name in ("xnli_ko_dev.tsv", "xnli_ko_test.tsv")
            for r in self._rows(name, "\t", quoted=False)
        ]

    def comments(self) -> list[tuple[str, frozenset[int]]]:
        """K-MHaS: (comment, labels), 2 = politics, 8 = not hate, the rest kinds of hate."""
        rows = self._rows("kmhas_valid.tsv", "\t", quoted=False)
        return [(r["document"], frozenset(int(x) for x in r["label"].split(",") if x)) for r in rows]

    def documents(self) -> Iterator[str]:
        """Everything as short documents for tokenizer and language modelling; related lines stay together."""
        for question, answer, _ in self.chatbot():
            yield f"{question}\n{answer}"
        for group in self.paraphrase_groups():
            yield "\n".join(group)
        for first, second, *_ in [*self.question_pairs(), *self.similarities(), *self.inferences()]:
            yield f"{first}\n{second}"
        lines = self.utterances()
        for first, second in pairwise(lines):
            yield first if len(first) > 12 else f"{first}\n{second}"
        for comment, _ in self.comments():
            yield comment
