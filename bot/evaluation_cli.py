"""`ohlora evaluate …`: parses and delegates."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import config, logs
from core.errors import ConfigurationError

app = typer.Typer(
    help="Measure models on rows they never saw: an HTML report, a JSON beside it, and as last line one JSON object.",
    no_args_is_help=True,
)

_REPORTS = Path("build/evaluation")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
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
def ethics(
    model: Model = None,
    data: Data = None,
    corpus: Corpus = None,
    seed: Seed = 7,
    out: Out = None,
    from_cases: Annotated[
        bool, typer.Option("--from-cases", help="Judge the record's cases once more: what would become of them.")
    ] = False,
    thresholds: Annotated[
        Path | None, typer.Option(help="For --from-cases: other thresholds, like thresholds.json.", exists=True)
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="For --from-cases: one of them, such as insult=0.97; normal is the veto.")
    ] = None,
    export_rows: Annotated[
        Path | None, typer.Option(help="For --from-cases: a new file for training rows, of the cases judged by people.")
    ] = None,
) -> None:
    """The ethics encoder by its scores, on rows or on what moderators have seen of it."""
    if from_cases:
        if data or corpus:
            raise ConfigurationError("--from-cases takes the cases of the record: leave out --data and --corpus")
        _from_cases(model, thresholds, threshold or [], out, export_rows)
        return
    if thresholds or threshold or export_rows:
        raise ConfigurationError("--thresholds, --threshold and --export-rows belong to --from-cases")
    from models.training.evaluate import Options, evaluate_ethics

    evaluate_ethics(Options(model or _profile(), data, out=out or _REPORTS / "ethics", seed=seed, corpus=corpus))


def _from_cases(
    model: Path | None, thresholds: Path | None, threshold: Sequence[str], out: Path | None, rows: Path | None
) -> None:
    """With other thresholds alone the scores stay as they were; with nothing named the served encoder judges."""
    from models.training.evaluate_cases import CaseOptions, checked, evaluate_cases, thresholds_in
    from storage.record import Record

    settings = _settings()
    chosen = thresholds_in(thresholds) if thresholds else {}
    chosen |= checked((one.partition("=")[::2] for one in threshold), "--threshold")
    judge = model or (None if chosen else settings.models.profile)
    options = CaseOptions(judge, chosen, out or _REPORTS / "cases", settings.policy.ladders, rows)

    async def evaluate() -> None:
        async with await Record.open(settings.record) as record:
            await evaluate_cases(record.cases.export(_BEGINNING), options)

    asyncio.run(evaluate())


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
    return _settings().models.profile


def _settings() -> config.Settings:
    settings = config.load()
    logs.configure(settings)
    return settings
