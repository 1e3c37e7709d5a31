# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""To a Hub on loopback and back, over HTTP; each client is a process of its own, as HF_ENDPOINT asks."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import torch
from helpers.without_packages import code_without_packages
from safetensors.torch import load_file, save_file

from gato_hub.sharing.model_card import model_card
from modeling_gato import GatoForCausalLM
from tokenization_gato import GatoProcessor

pytestmark = [pytest.mark.slow, pytest.mark.subprocess]

GATO = str(Path(sys.executable).with_name("gato"))
ROOT = Path(__file__).parents[3]


class HubClient:
    """A Hub that runs, and processes that talk to it."""

    def __init__(self, url: str, home: Path):
        self.url, self.home = url, home

    def environment(self, token: str | None) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        environment |= {"HF_ENDPOINT": self.url, "HF_HOME": str(self.home), "HF_HUB_DISABLE_XET": "1"}
        environment |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return environment | ({"HF_TOKEN": token} if token else {})

    def gato(self, *arguments, token="hf_ada"):
        command = [GATO, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment(token), timeout=300)

    def gato_in_turn(self, *commands) -> list:
        """Exit status and output of several commands in one process, each `(token, arguments)`."""
        asked = [[token, *map(str, arguments)] for token, *arguments in commands]
        code = f"""
import json, os
from typer.testing import CliRunner
from gato_hub.cli.app import app
answers = []
for token, *arguments in {asked!r}:
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    done = CliRunner().invoke(app, arguments)
    crashed = done.exception is not None and not isinstance(done.exception, SystemExit)
    answers.append((done.exit_code, done.output + (repr(done.exception) if crashed else "")))
print(json.dumps(answers))
"""
        return json.loads(self.python(code).splitlines()[-1])

    def python(self, code: str, token="hf_ada"):
        command = [sys.executable, "-c", code]
        environment = self.environment(token)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, cwd=self.home)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str, token="hf_ada"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
            return json.loads(answer.read())

    def files(self, path: str, token="hf_ada") -> set[str]:
        return {one["rfilename"] for one in self.get(f"/api/{path}", token)["siblings"]}

    def fault(self, *faults) -> None:
        data = json.dumps(faults).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/faults", data), timeout=10).close()

    def uploads(self) -> list[str]:
        """The large files that arrived, by their SHA-256, in order."""
        asked = self.get("/requests")
        return [path.lstrip("/") for method, path, status in asked if method == "PUT" and status == 200]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    command = [sys.executable, str(ROOT / "tests" / "helpers" / "hub_server.py")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield HubClient(server.stdout.readline().strip(), tmp_path_factory.mktemp("home"))
    server.stdin.close()
    server.wait(timeout=10)


@pytest.fixture(scope="module")
def results(checkpoint, tmp_path_factory):
    """What `gato evaluate` leaves."""
    folder = tmp_path_factory.mktemp("results")
    tasks = [part for task in ("classic-control/cart-pole", "captions/shapes") for part in ("--tasks", task)]
    command = [GATO, "evaluate", str(checkpoint), *tasks, "--episodes", "2", "--documents", "3", "--workers", "1"]
    done = subprocess.run([*command, "--out", str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pushed(hub, checkpoint, results):
    done = hub.gato("push", checkpoint, "ada/tiny", "--results", results, "--max-shard-size", "100KB")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{hub.url}/ada/tiny/commit/")
    return "ada/tiny"


# ---------------------------------------------------------------------------------------------------------------
# Models
# ---------------------------------------------------------------------------------------------------------------


def test_a_pushed_checkpoint_is_whole(hub, pushed):
    files = hub.files(f"models/{pushed}")
    assert {"config.json", "generation_config.json", "processor_config.json", "tokenizer.json", "README.md"} <= files
    assert {"modeling_gato.py", "processing_gato.py", "generation_gato.py", "results.json", "scores.png"} <= files
    assert len([name for name in files if re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", name)]) > 1
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in files)


def test_what_would_be_pushed_can_be_looked_at(checkpoint, results, tmp_path):
    command = [
        GATO,
        "push",
        str(checkpoint),
        "ada/tiny",
        "--results",
        str(results),
        "--to-folder",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, env=os.environ | {"HF_ENDPOINT": "none"}
    )
    assert done.returncode == 0, done.stderr
    assert {"model.safetensors", "modeling_gato.py", "results.json"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    card = (tmp_path / "out" / "README.md").read_text()
    assert 'from_pretrained("ada/tiny"' in card and "classic-control/cart-pole" in card


def test_it_acts_and_writes_where_our_packages_are_not_installed(hub, pushed, checkpoint, tmp_path):
    model = GatoForCausalLM.from_pretrained(checkpoint)
    inputs = {"input_ids": torch.arange(5, 45).view(2, 20)}
    save_file(inputs, tmp_path / "inputs.safetensors")
    code = f"""
import gymnasium, torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoImageProcessor, AutoModelForCausalLM, AutoProcessor, AutoTokenizer, pipeline
from transformers.dynamic_module_utils import get_class_from_dynamic_module

name, trust = {pushed!r}, dict(trust_remote_code=True)
model = AutoModelForCausalLM.from_pretrained(name, **trust)
processor = AutoProcessor.from_pretrained(name, **trust)
inputs = load_file({str(tmp_path / "inputs.safetensors")!r})
with torch.no_grad():
    save_file({{"logits": model(**inputs).logits}}, {str(tmp_path / "logits.safetensors")!r})

GatoAgent = get_class_from_dynamic_module("generation_gato.GatoAgent", name)
env = gymnasium.make("CartPole-v1")
agent = GatoAgent(model, processor, env.action_space, seed=0)
observation, info = env.reset(seed=0)
steps, done = 0, False
while not done:
    observation, reward, terminated, truncated, info = env.step(agent.act(observation))
    steps, done = steps + 1, terminated or truncated
print("steps", steps)
print(type(AutoConfig.from_pretrained(name, **trust)).__name__)
print(type(AutoTokenizer.from_pretrained(name, **trust)).__name__)
print(type(AutoImageProcessor.from_pretrained(name, **trust)).__name__)
write = pipeline("text-generation", model=model, tokenizer=processor.tokenizer)
print(len(write("go to", max_new_tokens=4, do_sample=False)[0]["generated_text"]) > 5)
"""
    lines = hub.python(code_without_packages(code), token=None).splitlines()
    assert int(lines[0].split()[1]) >= 5
    assert lines[1:] == ["GatoConfig", "TokenizersBackend", "GatoImageProcessorPil", "True"]
    with torch.no_grad():
        expected = model(**inputs).logits
    assert torch.equal(load_file(tmp_path / "logits.safetensors")["logits"], expected)


def test_private_repositories_branches_and_revisions(hub, checkpoint, pushed, tmp_path):
    pull = ("pull", "ada/hidden", "--revision", "try", "--out")
    done, mine, *refused, missing = hub.gato_in_turn(
        ("hf_ada", "push", checkpoint, "ada/hidden", "--private", "--revision", "try"),
        ("hf_ada", *pull, tmp_path / "mine"),
        ("hf_bob", *pull, tmp_path / "theirs"),
        (None, *pull, tmp_path / "theirs"),
        ("hf_ada", "pull", pushed, "--revision", "none", "--out", tmp_path / "none"),
    )
    assert done[0] == 0, done[1]
    branches = {one["name"] for one in hub.get("/api/models/ada/hidden/refs")["branches"]}
    assert branches == {"main", "try"}
    assert "config.json" in hub.files("models/ada/hidden/revision/try")
    assert hub.files("models/ada/hidden") == {".gitattributes"}
    assert mine[0] == 0 and (tmp_path / "mine" / "model.safetensors").exists(), mine[1]
    for status, said in refused:
        assert status == 1 and "there is no model ada/hidden on the Hub, or it is private" in said, said
    assert missing[0] == 1 and f"the model {pushed} has no revision 'none'" in missing[1], missing[1]


def test_who_may_not_push_is_told(hub, checkpoint):
    answers = hub.gato_in_turn(
        (None, "push", checkpoint, "ada/mine"),
        ("hf_bob", "push", checkpoint, "ada/mine"),
        ("hf_ada", "push", checkpoint, "a name/with/slashes"),
    )
    messages = (
        "the Hub wants a token to write model ada/mine: hf auth login",
        "the token may not write to the model ada/mine",
        "Error: Repo id must be in the form",
    )
    for (status, said), message in zip(answers, messages, strict=True):
        assert status == 1 and message in said, said


def test_a_server_that_fails_twice_and_then_works(hub, checkpoint):
    paths = ("/api/repos/create", "/preupload/", "/commit/", "objects/batch", "validate-yaml")
    hub.fault(*({"method": "POST", "path": path, "times": 2, "status": 500} for path in paths))
    done = hub.gato("push", checkpoint, "ada/patient")
    assert done.returncode == 0, done.stderr
    assert "config.json" in hub.files("models/ada/patient")


def test_a_server_that_is_out_of_order(hub, checkpoint):
    hub.fault({"method": "POST", "path": "/api/repos/create", "times": 99, "status": 503})
    done = hub.gato("push", checkpoint, "ada/never")
    hub.fault()
    assert done.returncode == 1 and "answered 503 again and again for the model ada/never" in done.stderr


def test_a_dataset_whose_upload_is_cut_off_goes_on_where_it_stopped(hub, tmp_path):
    tasks = ("classic-control/cart-pole", "classic-control/pendulum")
    data = tmp_path / "data"
    collected = hub.gato("collect", *tasks, "--episodes", 3, "--workers", 1, "--out", data)
    assert collected.returncode == 0, collected.stderr
    files = sorted(data.rglob("*.parquet"))
    assert len(files) == 2
    # The connection breaks in the middle of one of the two files, however often it is tried.
    broken = subprocess.run(["sha256sum", str(files[0])], capture_output=True, text=True).stdout.split()[0]
    before = len(hub.uploads())
    hub.fault({"method": "PUT", "path": broken, "times": 99, "cut": 1000})
    failed = hub.gato("push-dataset", data, "ada/episodes")
    assert failed.returncode == 1 and "the connection to the Hub broke off again and again" in failed.stderr
    sent = hub.uploads()[before:]
    assert broken not in sent and len(sent) == 1
    hub.fault()
    done = hub.gato("push-dataset", data, "ada/episodes")
    assert done.returncode == 0, done.stderr
    assert hub.uploads()[before:] == [*sent, broken]

    code = """
from datasets import load_dataset
rows = load_dataset("ada/episodes", "classic-control--pendulum", split="train")
print(len(rows), rows[0]["task"], len(rows[0]["continuous_actions"]))
print(next(iter(load_dataset("ada/episodes", "classic-control--cart-pole", split="train", streaming=True)))["task"])
"""
    assert hub.python(code_without_packages(code), token=None).splitlines() == [
        "3 classic-control/pendulum 200",
        "classic-control/cart-pole",
    ]


def test_the_usual_ways_of_transformers_push_and_load(hub, checkpoint, tmp_path):
    """`model`, `processor` and `trainer` by `push_to_hub`; adapters of PEFT."""
    code = f"""
import numpy as np, torch, modeling_gato, tokenization_gato
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoProcessor, Trainer, TrainingArguments
from tokenization_gato import GatoDataCollator

model = AutoModelForCausalLM.from_pretrained({str(checkpoint)!r})
processor = AutoProcessor.from_pretrained({str(checkpoint)!r})
model.push_to_hub("ada/usual")
processor.push_to_hub("ada/usual")
again = AutoModelForCausalLM.from_pretrained("ada/usual")
assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))
assert type(AutoProcessor.from_pretrained("ada/usual")) is type(processor)

rows = [{{"task": "t", "continuous_observations": np.zeros((9, 2)), "discrete_actions": np.arange(9) % 2}}] * 8
arguments = TrainingArguments({str(tmp_path / "trained")!r}, max_steps=1, hub_model_id="ada/trained", use_cpu=True,
                              remove_unused_columns=False, report_to="none", per_device_train_batch_size=2)
collate = GatoDataCollator(processor, max_length=32)
trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collate, processing_class=processor)
trainer.train()
trainer.push_to_hub()
trained = AutoModelForCausalLM.from_pretrained("ada/trained")
assert all(torch.equal(a, b) for a, b in zip(model.parameters(), trained.parameters()))
AutoProcessor.from_pretrained("ada/trained")

adapted = get_peft_model(again, LoraConfig(target_modules=["q_proj", "v_proj"], init_lora_weights=False))
adapted.push_to_hub("ada/adapter")
base = AutoModelForCausalLM.from_pretrained("ada/usual")
loaded = PeftModel.from_pretrained(base, "ada/adapter")
ids = torch.arange(20)[None]
with torch.no_grad():
    assert torch.equal(loaded.eval()(ids).logits, adapted.eval()(ids).logits)
    assert not torch.equal(loaded(ids).logits, model.eval()(ids).logits)
print("done")
"""
    assert hub.python(code).splitlines()[-1] == "done"
    assert {"config.json", "model.safetensors", "modeling_gato.py", "processor_config.json"} <= hub.files(
        "models/ada/trained"
    )


def test_a_space_carries_all_that_it_needs(hub, checkpoint, pushed, tmp_path):
    demo, named, pulled = hub.gato_in_turn(
        ("hf_ada", "push-space", checkpoint, "ada/demo"),
        ("hf_ada", "push-space", pushed, "ada/demo-of-a-name", "--private"),
        (None, "pull", "ada/demo", "--type", "space", "--out", tmp_path / "demo"),
    )
    assert demo[0] == named[0] == pulled[0] == 0, (demo, named, pulled)
    files = hub.files("spaces/ada/demo")
    assert {"app.py", "requirements.txt", "README.md", "space.json", "checkpoint/model.safetensors"} <= files
    assert {"gato_hub/acting/play.py", "gato_hub/suites/babyai.py", "modeling_gato/modeling_gato.py"} <= files
    assert not any("__pycache__" in name or name.startswith("gato_hub/checkpoints/gato-mini") for name in files)
    assert not any(name.startswith("checkpoint/") for name in hub.files("spaces/ada/demo-of-a-name"))

    # It is pulled and plays with nothing but what lies in its folder.
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "demo")!r})
import app, gato_hub, modeling_gato, tokenization_gato
for package in (gato_hub, modeling_gato, tokenization_gato):
    assert package.__file__.startswith({str(tmp_path / "demo")!r})
demo = app.Demo(app.chosen_checkpoint())
picture, tokens, state = next(demo.act(app.Showing(), "babyai/go-to-local", 0, 1.0))
print(picture.size[0] > 100, "gato-image" in tokens, "go to" in state)
"""
    assert hub.python(code, token=None).split() == ["True"] * 3


# ---------------------------------------------------------------------------------------------------------------
# Cards, and bad input
# ---------------------------------------------------------------------------------------------------------------


def test_the_card_tells_what_was_measured(hub, pushed, results):
    code = f"""
import json
from huggingface_hub import ModelCard
card = ModelCard.load({pushed!r})
card.validate()
data = card.data.to_dict()
found = {{(one.dataset_name, one.metric_type): one.metric_value for one in card.data.eval_results}}
print(json.dumps([data[key] for key in ("library_name", "pipeline_tag", "license", "tags")] + [card.text]))
print(json.dumps([[*key, value] for key, value in found.items()]))
"""
    about, found = map(json.loads, hub.python(code).splitlines())
    library, pipeline, license, tags, text = about
    assert (library, pipeline, license) == ("transformers", "reinforcement-learning", "apache-2.0")
    assert {"gato", "classic-control", "captions"} <= set(tags)
    scores = {(name, metric): value for name, metric, value in found}
    entry = json.loads((results / "results.json").read_text())["tasks"]["classic-control/cart-pole"]
    assert scores["classic-control/cart-pole", "mean_reward"] == round(entry["mean_return"], 3)
    assert scores["classic-control/cart-pole", "normalized_score"] == round(entry["normalized"], 3)
    assert ("captions/shapes", "exact_match") in scores and ("all, 1 task", "normalized_score") in scores
    assert "![Scores of all tasks](scores.png)" in text and f'from_pretrained("{pushed}"' in text
    # The example is short, and is Python.
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    compile(example, "card", "exec")
    assert len([line for line in example.splitlines() if line.strip()]) <= 12


def test_the_card_of_a_run_tells_how_it_was_trained(checkpoint, tmp_path):
    run = {
        "command": "gato train mine.yaml",
        "git_commit": "abc123",
        "versions": {"torch": "2.13.0"},
        "recipe": {
            "seed": 7,
            "sequence": {"length": 256},
            "optimization": {"steps": 100, "batch_size": 8},
            "data": [
                {"weight": 3.0, "tasks": ["babyai/go-to-obj"], "episodes": 50, "noise": 0.0, "path": None},
                {"weight": 1.0, "tasks": None, "path": "data/mine"},
            ],
        },
    }
    earlier = run | {"command": "gato train first.yaml", "hours": 2.5, "hardware": "a small computer"}
    (tmp_path / "training.json").write_text(json.dumps(run | {"earlier": earlier}))
    model, processor = GatoForCausalLM.from_pretrained(checkpoint), GatoProcessor.from_pretrained(checkpoint)
    text = str(model_card("ada/run", model, processor, tmp_path))
    for part in (
        "gato train mine.yaml",
        "seed 7",
        "abc123",
        "| `babyai/go-to-obj` | 75.0% |",
        "| `data/mine` | 25.0% |",
        "| `gato train mine.yaml` | abc123 | 100 | - |",
        "| `gato train first.yaml` | abc123 | 100 | 2.5 |",
    ):
        assert part in text
    assert "gato play ada/run babyai/go-to-obj" in text
    assert "It was not evaluated" in text and "None" not in text


def test_what_can_not_be_pushed(hub, checkpoint, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("{}")
    cases = (
        (
            ("push", checkpoint, "ada/x", "--results", tmp_path / "other.json"),
            "not what gato evaluate writes: it lacks",
        ),
        (("push", tmp_path / "empty", "ada/x"), "holds no model: there is no config.json"),
        (
            ("push", checkpoint, "ada/x", "--results", tmp_path),
            "there is no file .*results.json: gato evaluate writes",
        ),
        (("push-dataset", tmp_path / "empty", "ada/x"), "holds no parquet files: gato collect makes some"),
        (("push-space", tmp_path / "empty", "ada/x"), "holds no model"),
        (("push", checkpoint, "ada/x", "--license", "do-what-you-like"), "does not accept the card: .*license"),
    )
    for (status, said), (_, message) in zip(
        hub.gato_in_turn(*(("hf_ada", *arguments) for arguments, _ in cases)), cases, strict=True
    ):
        assert status == 1 and re.search(message, said), said
