"""`ohlora evaluate …`: parses and delegates."""

from pathlib import Path
from typing import Annotated

import typer

from bot import config, logs

app = typer.Typer(
    help="Measure models on rows they never saw: an HTML report, a JSON beside it, and as last line one JSON object.",
    no_args_is_help=True,
)

_REPORTS = Path("build/evaluation")
Model = Annotated[Path | None, typer.Option(help="A profile, an adapter or an encoder; the one served by default.")]
Data = Annotated[Path | None, typer.Option(help="Rows to measure on; our own held-out ones by default.", exists=True)]
Against = Annotated[Path | None, typer.Option(help="Another profile or adapter to put beside it.")]
Rows = Annotated[int | None, typer.Option(min=1, help="At most so many validation rows, always the same sample.")]
Out = Annotated[Path | None, typer.Option(help="The report, without its ending; build/evaluation/… by default.")]
Seed = Annotated[int, typer.Option(help="For whatever is drawn.")]
Texts = Annotated[Path | None, typer.Option(help="Texts of the tutor that the questions of --data name.", exists=True)]
Corpus = Annotated[
    Path | None, typer.Option(help="Public text, for the rate of false sanctions.", exists=True, file_okay=False)
]


@app.command("bundled")
def bundled(corpus: Corpus = None, rows: Rows = None, out: Out = None) -> None:
    """Everything that the served profile is worth."""
    from models.training.evaluate import evaluate_profile

    evaluate_profile(_profile(), corpus, out or _REPORTS / "bundled", rows)


def _language(task: str) -> None:
    @app.command(task, help=f"The language task {task}.")
    def measure(
        model: Model = None,
        data: Data = None,
        against: Against = None,
        rows: Rows = None,
        texts: Texts = None,
        recall: Annotated[
            bool | None, typer.Option(help="Persona recall; by default as the model was trained.")
        ] = None,
        seed: Seed = 7,
        out: Out = None,
    ) -> None:
        from models.training.evaluate import Options, evaluate_language

        report = out or _REPORTS / task
        options = Options(model or _profile(), data, against, report, rows, seed, recall, texts=texts)
        evaluate_language(task, options)


for _task in ("output_message", "summary", "memory", "eyes_mouth_pose", "tutor"):
    _language(_task)


@app.command("ethics")
def ethics(model: Model = None, data: Data = None, corpus: Corpus = None, seed: Seed = 7, out: Out = None) -> None:
    """The ethics encoder by its scores."""
    from models.training.evaluate import Options, evaluate_ethics

    evaluate_ethics(Options(model or _profile(), data, out=out or _REPORTS / "ethics", seed=seed, corpus=corpus))


@app.command("memory-encoder")
def memory_encoder(
    model: Model = None,
    data: Data = None,
    untuned: Annotated[str | None, typer.Option(help="The encoder before tuning, for the true similarities.")] = None,
    out: Out = None,
) -> None:
    """The memory encoder: predicted against true similarities."""
    from models.training.evaluate import Options, evaluate_memory_encoder

    report = out or _REPORTS / "memory-encoder"
    evaluate_memory_encoder(Options(model or _profile(), data, out=report, untuned=untuned))


@app.command("tutor-encoder")
def tutor_encoder(
    model: Model = None,
    data: Data = None,
    texts: Texts = None,
    out: Out = None,
) -> None:
    """The tutor's encoder: which text a question finds."""
    from models.training.evaluate import Options, evaluate_tutor_encoder

    report = out or _REPORTS / "tutor-encoder"
    evaluate_tutor_encoder(Options(model or _profile(), data, out=report, texts=texts))


def _profile() -> Path:
    settings = config.load()
    logs.configure(settings)
    return settings.models.profile
