"""`ohlora train …`: parses and delegates."""

from pathlib import Path
from typing import Annotated

import typer

from bot import config, logs

train = typer.Typer(help="Train models.", no_args_is_help=True)

BASE_HELP = "bundled, kanana-1.5-2.1b-base, …, a repository (owner/model@revision), a folder, random:llama|neox|gemma2."
Base = Annotated[str | None, typer.Option(help=BASE_HELP)]
Epochs = Annotated[int | None, typer.Option(help="Passes over the rows.")]
Batch = Annotated[int | None, typer.Option(help="Rows a step.")]
Accumulate = Annotated[int | None, typer.Option(help="Batches whose gradients make one step.")]
Rate = Annotated[float | None, typer.Option(help="Learning rate at its peak.")]
Seed = Annotated[int | None, typer.Option(help="For everything drawn.")]
Data = Annotated[Path | None, typer.Option(help="JSON Lines in our schema; our own rows by default.", exists=True)]
Texts = Annotated[Path | None, typer.Option(help="The tutor's texts that --data names.", exists=True)]
Steps = Annotated[int | None, typer.Option(help="Steps between two checkpoints.")]
Output = Annotated[Path | None, typer.Option(help="Where the model goes; a folder of the base under data_dir/models.")]
Config = Annotated[
    Path | None, typer.Option("--config", help="run.json of another run; options given here win.", exists=True)
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint, as run.json there says.")]
Force = Annotated[bool, typer.Option("--force", help="Train anew where a model is.")]


@train.command("bundled")
def train_bundled(
    corpus: Annotated[Path, typer.Option(help="Folder with the public Korean text.", exists=True, file_okay=False)],
    work: Annotated[Path, typer.Option(help="Where stages leave their results.")] = Path("build/bundled"),
) -> None:
    """Rebuild every bundled model from seeds, our own rows and the corpus."""
    from models.registry import BUNDLED
    from models.training.bundled import Build
    from models.training.corpus import Corpus

    Build(Corpus(corpus), work, BUNDLED).run()


@train.command("llm")
def train_llm(
    task: Annotated[str | None, typer.Option(help="output_message, summary, memory, eyes_mouth_pose or tutor.")] = None,
    base: Base = None,
    rank: Annotated[int | None, typer.Option(help="LoRA rank.")] = None,
    epochs: Epochs = None,
    batch: Batch = None,
    accumulate: Accumulate = None,
    rate: Rate = None,
    seed: Seed = None,
    data: Data = None,
    texts: Texts = None,
    augment: Annotated[bool | None, typer.Option(help="Say answers in other words too; on by default.")] = None,
    checkpoint_steps: Steps = None,
    output: Output = None,
    config_file: Config = None,
    resume: Resume = False,
    force: Force = False,
    with_unsloth: Annotated[bool, typer.Option("--with-unsloth", help="Train with Unsloth.")] = False,
) -> None:
    """A LoRA adapter for one task. Where it exists already, the inference test on the validation rows instead."""
    if with_unsloth:
        from models.training import unsloth

        unsloth.prepare()
    from models.training.commands import Asked, llm

    values = {
        "task": task, "base": base, "rank": rank, "epochs": epochs, "batch": batch, "accumulate": accumulate,
        "rate": rate, "seed": seed, "data": data, "texts": texts, "augment": augment,
        "checkpoint_steps": checkpoint_steps, "unsloth": with_unsloth or None,
    }  # fmt: skip
    llm(Asked(values, config_file, output, resume, force), _models_dir())


@train.command("encoder")
def train_encoder(
    purpose: Annotated[str | None, typer.Option("--for", help="memory, ethics or tutor.")] = None,
    base: Base = None,
    epochs: Epochs = None,
    batch: Batch = None,
    accumulate: Accumulate = None,
    rate: Rate = None,
    seed: Seed = None,
    data: Data = None,
    texts: Texts = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Folder with the public Korean text.", exists=True, file_okay=False)
    ] = None,
    false_sanctions: Annotated[
        float | None, typer.Option(help="Of everyday text, the share on which an ethics category may act.")
    ] = None,
    checkpoint_steps: Steps = None,
    output: Output = None,
    config_file: Config = None,
    resume: Resume = False,
    force: Force = False,
) -> None:
    """A sentence encoder and its thresholds. Where it exists already, its figures on the validation rows instead."""
    from models.training.commands import Asked, encoder

    values = {
        "purpose": purpose, "base": base, "epochs": epochs, "batch": batch, "accumulate": accumulate, "rate": rate,
        "seed": seed, "data": data, "texts": texts, "corpus": corpus, "false_sanctions": false_sanctions,
        "checkpoint_steps": checkpoint_steps,
    }  # fmt: skip
    encoder(Asked(values, config_file, output, resume, force), _models_dir())


def _models_dir() -> Path:
    settings = config.load()
    logs.configure(settings)
    return settings.models_dir
