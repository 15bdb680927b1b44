"""The files of deploy/, as far as they can be looked at without an engine: form, schema, lint, and whether
everything they name is there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import clarion
from clarion.api.probes import probe_routes
from clarion.cli.main import VERBS
from clarion.settings import Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.stem != "kustomization")
KUBERNETES = "1.37"
STYLE = (
    "{extends: default, rules: {line-length: {max: 130}, document-start: disable, comments:"
    " {min-spaces-from-content: 1}, comments-indentation: disable}}"
)

Json = dict[str, Any]


def beside(program: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).parent / program)


def documents() -> Iterator[tuple[str, Json]]:
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{document['kind']}/{document['metadata']['name']}", document


DOCUMENTS = dict(documents())
DEPLOYMENTS = {name: one for name, one in DOCUMENTS.items() if one["kind"] == "Deployment"}


def compose() -> Json:
    found: Json = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_manifest_fits_the_schema_of_kubernetes(name: str) -> None:
    kubernetes_validate.validate(DOCUMENTS[name], KUBERNETES, strict=True)


def test_a_wrong_manifest_is_told_from_a_right_one() -> None:
    wrong = dict(DOCUMENTS["Service/clarion"]) | {"spec": {"ports": "80"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_kustomize_lists_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == [path.name for path in MANIFESTS]


def test_the_kustomization_is_of_the_kind_that_kustomize_reads() -> None:
    found = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert (found["apiVersion"], found["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert set(found) == {"apiVersion", "kind", "labels", "resources", "images"}
    assert found["labels"] == [{"pairs": {"app.kubernetes.io/name": "clarion"}}]
    assert found["images"] == [{"name": "clarion", "newTag": clarion.__version__}]


def test_what_selects_pods_selects_clarions_alone_and_some() -> None:
    pods = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in DEPLOYMENTS.items()}
    selecting = {name: labels for name, one in DOCUMENTS.items() if (labels := selected(one))}
    assert len(selecting) == len(DEPLOYMENTS) + 4
    for name, labels in selecting.items():
        assert labels["app.kubernetes.io/name"] == "clarion", name
        assert any(labels.items() <= found.items() for found in pods.values()), name
    assert all(selecting["NetworkPolicy/clarion"].items() <= found.items() for found in pods.values())


def selected(manifest: Json) -> Json:
    """The labels of the pods that a manifest is about; empty where it is about none by their labels."""
    spec = manifest.get("spec", {})
    found: Json = spec.get("selector") or spec.get("podSelector") or {}
    labels: Json = found.get("matchLabels", found)
    return labels


def test_what_pods_take_their_settings_from_is_there() -> None:
    for one in DEPLOYMENTS.values():
        pod = one["spec"]["template"]["spec"]
        for container in [*pod["containers"], *pod["initContainers"]]:
            assert container["image"] == f"clarion:{clarion.__version__}"
            for kind, source in (pair for item in container["envFrom"] for pair in item.items()):
                assert source["name"] == "clarion"
                assert kind == "secretRef" or "ConfigMap/clarion" in DOCUMENTS


def test_every_file_is_of_the_version_that_this_is() -> None:
    images = {one["image"] for one in compose()["services"].values() if one["image"].startswith("clarion:")}
    assert images == {f"clarion:{clarion.__version__}"}
    assert f"clarion-{clarion.__version__}-py3" in UNIT


def test_every_setting_named_is_one() -> None:
    known = {f"CLARION_{name.upper()}" for name in Settings.model_fields}
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert set(re.findall(r"CLARION_[A-Z_]+", path.read_text())) <= known, path


def test_every_verb_called_is_one() -> None:
    called = [
        container["args"][0]
        for one in DEPLOYMENTS.values()
        for container in [
            *one["spec"]["template"]["spec"]["containers"],
            *one["spec"]["template"]["spec"]["initContainers"],
        ]
    ]
    called += [
        one["command"][0]
        for name, one in compose()["services"].items()
        if "command" in one and "x" not in name
    ]
    called += re.findall(
        r"^ExecStart=\S+/clarion (\S+)", (DEPLOY / "systemd" / "clarion.service").read_text(), re.M
    )
    called += re.findall(r'^CMD \["(\w+)"\]', (DEPLOY / "Containerfile").read_text(), re.M)
    assert len(called) >= 8
    assert set(called) - {"--config"} <= set(VERBS)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_is_probed_where_it_answers_and_may_do_little(name: str) -> None:
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    answered = {route.path for route in probe_routes(None)}  # type: ignore[arg-type]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in answered
        assert asked["port"] in ports
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    settings = DOCUMENTS["ConfigMap/clarion"]["data"]
    assert ports["metrics"] == int(settings["CLARION_METRICS_PORT"])
    assert pod["enableServiceLinks"] is False
    assert pod["terminationGracePeriodSeconds"] >= 20
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_scaling_and_disruption_budgets_are_of_deployments_that_are_there() -> None:
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]: one
        for one in DOCUMENTS.values()
        if one["kind"] == "HorizontalPodAutoscaler"
    }
    assert {f"Deployment/{name}" for name in scaled} == set(DEPLOYMENTS)
    (metric,) = scaled["clarion-worker"]["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == "clarion_journal_oldest_seconds"
    kept = [one["spec"]["selector"] for one in DOCUMENTS.values() if one["kind"] == "PodDisruptionBudget"]
    assert kept == [one["spec"]["selector"] for one in DEPLOYMENTS.values()]


def test_the_compose_file_has_every_part_pinned_probed_and_without_secrets() -> None:
    found = compose()
    assert set(found["services"]) == {"postgres", "nats", "migrate", "api", "worker"}
    for name, service in found["services"].items():
        image, _, tag = service["image"].rpartition(":")
        assert image, name
        assert tag not in ("", "latest"), name
        for wanted in service.get("depends_on", {}):
            assert wanted in found["services"]
        for value in service.get("environment", {}).values():
            assert "PASSWORD" not in value or ":?" in value, name
    named = {
        mount.partition(":")[0] for one in found["services"].values() for mount in one.get("volumes", ())
    }
    assert {name for name in named if not name.startswith(".")} == set(found["volumes"])
    assert all((DEPLOY / name).is_file() for name in named if name.startswith("."))


def test_the_files_are_well_formed() -> None:
    done = subprocess.run(
        [beside("yamllint"), "--strict", "-d", STYLE, DEPLOY], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_container_file_passes_its_linter_and_copies_what_is_there() -> None:
    file = DEPLOY / "Containerfile"
    done = subprocess.run([beside("hadolint"), file], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    text = file.read_text()
    assert (ROOT / "requirements" / "runtime.txt").is_file()
    assert "requirements/runtime.txt" in text
    assert all(
        re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(), re.M) for verb in ("dashboard", "wheel")
    )
    user = re.search(r"^USER (\d+)$", text, re.M)
    assert user is not None
    assert {
        one["spec"]["template"]["spec"]["securityContext"]["runAsUser"] for one in DEPLOYMENTS.values()
    } == {int(user[1])}


def test_the_server_of_nats_reads_its_file_and_would_not_read_a_wrong_one(tmp_path: Path) -> None:
    def checked(file: Path) -> tuple[int, str]:
        environ = os.environ | {"NATS_PASSWORD": "password"}
        done = subprocess.run(
            [beside("nats-server"), "-t", "-c", file], capture_output=True, text=True, env=environ
        )
        return done.returncode, done.stderr

    assert checked(DEPLOY / "nats.conf")[0] == 0
    wrong = tmp_path / "nats.conf"
    text = (DEPLOY / "nats.conf").read_text()
    wrong.write_text(text.replace("sync_interval: always", "sync_interval: sometimes"))
    status, said = checked(wrong)
    assert status != 0
    assert "sync_interval" in said


def test_the_compose_file_fits_the_schema_of_its_specification(tmp_path: Path) -> None:
    def checked(file: Path) -> tuple[int, str]:
        command = [beside("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout

    assert checked(DEPLOY / "compose.yaml")[0] == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(
        (DEPLOY / "compose.yaml").read_text().replace("restart: on-failure", "restrat: on-failure")
    )
    status, said = checked(wrong)
    assert status == 1
    assert "restrat" in said


UNIT = (DEPLOY / "systemd" / "clarion.service").read_text()
WRONG = pytest.mark.parametrize(
    ("right", "wrong"), [("Restart=always", "Restrat=always"), ("[Install]", "[Instal]")]
)


@WRONG
def test_the_unit_has_directives_that_systemd_knows_alone(right: str, wrong: str) -> None:
    assert unknown(UNIT) == []
    assert unknown(UNIT.replace(right, wrong)) != []


def unknown(unit: str) -> list[str]:
    """The directives of a unit that systemd doesn't have in their section."""
    known = sections((ROOT / "tests" / "contract" / "systemd" / "directives.txt").read_text())
    return [
        f"[{section}] {name}"
        for section, names in sections(unit).items()
        for name in names
        if name not in known.get(section, ())
    ]


def sections(unit: str) -> dict[str, list[str]]:
    """The names by section of a file in systemd's form, in which one may stand several times."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = []
        elif line and line[0] not in "#;":
            found[list(found)[-1]].append(line.partition("=")[0])
    return found


@WRONG
def test_systemd_itself_has_nothing_to_complain_of_where_it_is(
    tmp_path: Path, right: str, wrong: str
) -> None:
    """Where it isn't, as in a container, the test before has looked at the names."""
    complaints = analyzed if shutil.which("systemd-analyze") else lambda unit, _: "\n".join(unknown(unit))
    assert complaints(UNIT, tmp_path) == ""
    assert complaints(UNIT.replace(right, wrong), tmp_path) != ""


def analyzed(unit: str, folder: Path) -> str:
    """What `systemd-analyze` says of a unit whose program is there."""
    file = folder / "clarion.service"
    file.write_text(unit.replace("/opt/clarion/bin/clarion", str(shutil.which("true"))))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
    assert done.returncode == 0 or done.stderr
    return done.stderr
