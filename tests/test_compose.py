"""The promises of docker-compose.yml and Dockerfile, as far as they can be read."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest

from bot.config import Settings
from core.tasks import TASKS
from tests import composed
from tests.composed import OURS, ROOT

SERVICES = composed.services()
PROFILES = {
    "single": {"single"},
    "full": {"gateway", "worker", "redis", "postgres"},
    "gpu": {"gateway", "worker-gpu", "vllm", "redis", "postgres"},
}
SECRET = re.compile(r"PASSWORD|TOKEN|API_KEY|AUTH$")
every_service = pytest.mark.parametrize("name", SERVICES)
every_image = pytest.mark.parametrize("target", ["ohlora", "gateway"])


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_starts_what_it_needs_and_nothing_else(profile: str) -> None:
    assert {name for name, service in SERVICES.items() if profile in service["profiles"]} == PROFILES[profile]


@every_service
def test_nobody_is_root_or_may_become_more_than_they_are(name: str) -> None:
    service = SERVICES[name]
    user, group = map(int, service["user"].split(":"))
    assert min(user, group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys()


@every_service
def test_images_are_pinned_and_ours_are_built_here(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+(-[\w.]+)?", service["image"]) or re.fullmatch(
        r"postgres:\d+\.\d+-\w+", service["image"]
    )
    if name in OURS:
        assert service["build"]["target"] in composed.stages()
        assert service["image"].endswith(f":{project()['version']}")
    else:
        assert "build" not in service


@every_service
def test_everybody_is_asked_how_they_are_and_given_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert service["stop_grace_period"] == "40s"
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    assert "memory" in service["deploy"]["resources"]["limits"]


@every_service
def test_ports_are_open_on_this_machine_only_and_workers_have_no_way_out(name: str) -> None:
    service = SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert ("ports" in service) == ("outside" in service["networks"]) == (name in {"single", "gateway"})
    assert composed.everything()["networks"]["inside"]["internal"] is True


@every_service
def test_who_waits_for_somebody_waits_until_they_answer(name: str) -> None:
    service = SERVICES[name]
    for other, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert set(service["profiles"]) <= set(SERVICES[other]["profiles"])
    if name in {"gateway", "worker", "worker-gpu"}:
        assert {"redis", "postgres"} <= service["depends_on"].keys()


@every_service
def test_what_is_written_lies_in_volumes_or_is_not_kept(name: str) -> None:
    service, named = SERVICES[name], composed.everything()["volumes"]
    sources = [volume.rsplit(":", 2)[0] for volume in service.get("volumes", ()) if not volume.endswith(":ro")]
    assert set(sources) == {volume.split(":")[0] for volume in sources} <= named.keys()
    if name in OURS:
        places = [*(volume.split(":")[1] for volume in service.get("volumes", ())), *map(_place, service["tmpfs"])]
        assert {"/data", "/cache", "/tmp"} <= set(places)


def _place(tmpfs: str) -> str:
    return tmpfs.split(":")[0]


@every_service
def test_secrets_come_from_the_environment_and_passwords_have_no_default(name: str) -> None:
    service = SERVICES[name]
    for variable, value in service.get("environment", {}).items():
        if SECRET.search(variable):
            kind = ":-" if variable.endswith("_TOKEN") else ":?"
            assert re.fullmatch(rf"\$\{{\w+{re.escape(kind)}[^}}]*\}}", value), variable
        assert "://" not in value or not re.search(r"://[^$]*:[^$@/]+@", value), variable
    tokens = {"OHLORA_DISCORD_TOKEN", "OHLORA_TELEGRAM_TOKEN"} & service.get("environment", {}).keys()
    assert bool(tokens) == (name in {"single", "gateway"})


def test_the_documented_env_holds_what_has_to_be_set_and_nothing_unknown() -> None:
    asked = composed.variables()
    shown = composed.documented_env()
    assert {name for name, kinds in asked.items() if ":?" in kinds} <= shown.keys() <= asked.keys()
    assert "" not in {kind for kinds in asked.values() for kind in kinds}
    for name in [name for name, kinds in asked.items() if ":?" in kinds]:
        with pytest.raises(KeyError, match=name):
            composed.filled(SERVICES, {other: "x" for other in asked if other != name})


@pytest.mark.parametrize("name", OURS)
def test_every_setting_that_is_named_is_one(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in environment(name).items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    known = {f"OHLORA_{field}".upper() for field in Settings.model_fields}
    assert {variable.partition("__")[0] for variable in environment(name) if "OHLORA" in variable} <= known
    assert settings.http.port == 9464
    assert str(settings.data_dir) == "/data"


def environment(name: str) -> dict[str, str]:
    """Of a service of ours: what its image sets, and the file over it."""
    needed = {variable: "x" for variable, kinds in composed.variables().items() if ":?" in kinds}
    service = composed.filled(SERVICES[name], needed)
    assert isinstance(service, Mapping)
    image = composed.image_environment(service["build"]["target"])
    return {name: value for name, value in {**image, **service["environment"]}.items() if name.startswith("OHLORA_")}


def test_the_model_server_has_an_adapter_for_every_task_of_the_worker() -> None:
    command = SERVICES["vllm"]["command"]
    options = dict(word.removeprefix("--").split("=", 1) for word in command if word.startswith("--") and "=" in word)
    adapters = dict(word.split("=", 1) for word in command[command.index("--lora-modules") + 1 :])
    tasks = json.loads(SERVICES["worker-gpu"]["environment"]["OHLORA_MODELS__REMOTE__TASKS"])
    assert {task: adapters.pop(name) for task, name in tasks.items()} == {
        task.name: f"/profile/adapters/{task.name}" for task in TASKS
    }
    assert adapters == {}
    bundled = ROOT / "models" / "bundled"
    ranks = [json.loads((bundled / "adapters" / task / "adapter_config.json").read_bytes())["r"] for task in tasks]
    assert max(ranks) <= int(options["max-lora-rank"])
    assert int(options["max-loras"]) == int(options["max-cpu-loras"]) == len(tasks)
    assert (bundled / PurePosixPath(command[0]).relative_to("/profile") / "config.json").is_file()
    assert SERVICES["vllm"]["volumes"] == SERVICES["worker-gpu"]["volumes"]


def test_every_stage_is_built_on_something_pinned() -> None:
    stages = composed.stages()
    for number, stage in enumerate(stages.values()):
        earlier = list(stages)[:number]
        assert stage.parent in earlier or re.fullmatch(r"python:3\.11\.\d+-slim-\w+", stage.parent)
        for word, rest in stage.steps:
            if word == "COPY" and (source := re.match(r"--from=(\S+)", rest)):
                assert source[1] in earlier


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {
        source
        for stage in composed.stages().values()
        for word, rest in stage.steps
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    packages = {name.removesuffix("*") for name in pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert copied == {"pyproject.toml", project()["readme"], "LICENSE", *packages}
    assert {f"!{source}" for source in copied} <= set(ignored)
    assert ignored[1] == "*"
    assert all((ROOT / source).exists() for source in copied)


@every_image
def test_an_image_runs_as_nobody_with_an_end_and_an_answer(target: str) -> None:
    user, group = map(int, composed.last(target, "USER").split(":"))
    assert f"{user}:{group}" == SERVICES["single"]["user"]
    assert composed.exec_form(composed.last(target, "ENTRYPOINT")) == ["ohlora"]
    assert composed.exec_form(composed.last(target, "CMD")) == [{"ohlora": "run"}.get(target, target)]
    assert composed.last(target, "STOPSIGNAL") == "SIGTERM"
    assert composed.exec_form(composed.last(target, "VOLUME")) == ["/data", "/cache"]
    asked = composed.exec_form(composed.last(target, "HEALTHCHECK"))
    assert [word.replace("healthz", "readyz") for word in asked] == SERVICES["single"]["healthcheck"]["test"][1:]
    assert f":{composed.image_environment(target)['OHLORA_HTTP__PORT']}/healthz" in asked[-1]


@every_image
def test_an_image_has_the_packages_it_is_for(target: str) -> None:
    venv = next(
        rest.split()[0].removeprefix("--from=") for _, rest in composed.stages()[target].steps if "--from" in rest
    )
    installed = " ".join(rest for stage in composed.line_of(venv) for word, rest in stage.steps if word == "RUN")
    extras = {extra for found in re.findall(r"\.\[([\w,]+)\]", installed) for extra in found.split(",")}
    assert extras == {"redis", "postgres", *(["local"] if target == "ohlora" else [])} <= set(optional())
    assert ("torch" in installed) == (target == "ohlora")
    for pinned in re.findall(r"torch==[\d.]+", installed):
        assert pinned in optional()["local"]


def test_torch_is_there_before_anything_could_pull_another() -> None:
    runs = [rest for word, rest in composed.stages()["full"].steps if word == "RUN"]
    assert ["torch==" in run for run in runs] == [True, False]
    assert "local" in runs[1]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def project() -> dict[str, Any]:
    return dict(pyproject()["project"])


def optional() -> dict[str, list[str]]:
    return dict(project()["optional-dependencies"])
