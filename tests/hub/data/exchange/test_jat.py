# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Small files in the schema of jat-project/jat-dataset: there is no network here."""

import datasets
import numpy as np
import PIL.Image
import pytest
from datasets import Features, Image, List, Value

from gato_hub.data.exchange.jat import import_jat, jat_task_id, load_jat
from gato_hub.data.parquet import read_episodes, read_provenance
from gato_hub.system.errors import GatoError

NUMBERS = List(List(Value("float32")))
FEATURES = {
    "metaworld-assembly": {"continuous_observations": NUMBERS, "continuous_actions": NUMBERS},
    "mujoco-ant": {"continuous_observations": NUMBERS, "continuous_actions": NUMBERS},
    "babyai-go-to": {
        "text_observations": List(Value("string")),
        "discrete_observations": List(List(Value("int64"))),
        "discrete_actions": List(Value("int64")),
    },
    "atari-alien": {"image_observations": List(Image()), "discrete_actions": List(Value("int64"))},
    "oscar": {"text": Value("string")},
    "ok-vqa": {"images": Image(), "text": Value("string")},
}
# The first action of the real dataset is the first of these.
ACTIONS = [[6.459, 2.242, -5.915, -19.8], [0.5, -0.25, 1.0, -1.0], [-1.5, 0.0, 0.0, 0.0]]
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 84, 84, 4), dtype=np.uint8)


def episode(name, steps=3):
    if name == "atari-alien":
        columns = {"image_observations": [PIL.Image.fromarray(frame) for frame in FRAMES[:steps]]}
        columns["discrete_actions"] = [0, 17, 3][:steps]
    elif name == "babyai-go-to":
        columns = {
            "text_observations": ["go to the red ball"] * steps,
            "discrete_observations": [[step, *[1, 0, 0] * 49] for step in range(steps)],
            "discrete_actions": [2] * steps,
        }
    else:
        columns = {
            "continuous_observations": [[0.125 * step] * 39 for step in range(steps)],
            "continuous_actions": ACTIONS[:steps],
        }
    return columns | {"rewards": [0.5] * steps}


def write_configuration(folder, name, rows, features=None, split="train"):
    features = Features(features or FEATURES[name] | {"rewards": List(Value("float32"))})
    path = folder / name / f"{split}-00000-of-00001-254a683c61d1cea1.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {column: [row[column] for row in rows] for column in features}
    datasets.Dataset.from_dict(columns, features=features).to_parquet(path)
    return path


def load(folder, name, streaming=True, **options):
    return load_jat(name, path=folder, streaming=streaming, cache_dir=str(folder / "cache"), **options)


@pytest.mark.parametrize("streaming", [True, False])
def test_actions_of_metaworld_are_clipped_and_counted(tmp_path, streaming):
    rows = [episode("metaworld-assembly"), episode("metaworld-assembly", steps=2)]
    write_configuration(tmp_path, "metaworld-assembly", rows)
    loaded = list(load(tmp_path, "metaworld-assembly", streaming))
    assert [row["clipped_actions"] for row in loaded] == [5, 4]
    for row, written in zip(loaded, rows, strict=True):
        np.testing.assert_array_equal(row["continuous_actions"], np.clip(written["continuous_actions"], -1, 1))
        np.testing.assert_array_equal(row["continuous_observations"], written["continuous_observations"])
        assert row["rewards"] == written["rewards"]
        assert (row["seed"], row["success"], row["noise"]) == (None, None, None)
        assert "JAT" in row["expert"]


def test_actions_of_other_suites_are_left_alone_unless_bounds_are_given(tmp_path):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    (row,) = load(tmp_path, "mujoco-ant")
    np.testing.assert_array_equal(row["continuous_actions"], np.float32(ACTIONS))
    assert "clipped_actions" not in row
    (row,) = load(tmp_path, "mujoco-ant", action_bounds=(-2.0, 2.0))
    np.testing.assert_array_equal(row["continuous_actions"], np.clip(np.float32(ACTIONS), -2, 2))
    assert row["clipped_actions"] == 4


def test_atari_keeps_the_three_newest_of_four_grey_frames(tmp_path):
    write_configuration(tmp_path, "atari-alien", [episode("atari-alien")])
    (row,) = load(tmp_path, "atari-alien")
    assert row["image_shape"] == [84, 84, 3]
    images = np.frombuffer(b"".join(row["image_observations"]), np.uint8).reshape(3, 84, 84, 3)
    np.testing.assert_array_equal(images, FRAMES[..., 1:])


def test_babyai_is_left_as_it_is(tmp_path):
    write_configuration(tmp_path, "babyai-go-to", [episode("babyai-go-to")])
    (row,) = load(tmp_path, "babyai-go-to")
    for name, values in episode("babyai-go-to").items():
        assert row[name] == values
    assert row["task"] == "jat/babyai-go-to"


def test_the_task_of_a_row_is_the_configuration_not_our_task_of_other_observations():
    assert jat_task_id("metaworld-assembly") == "jat/metaworld-assembly"


def test_split(tmp_path):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant", steps=1)], split="test")
    (row,) = load(tmp_path, "mujoco-ant", split="test")
    assert len(row["rewards"]) == 1


@pytest.mark.parametrize("streaming", [True, False])
def test_documents(tmp_path, streaming):
    picture = PIL.Image.fromarray(FRAMES[0, ..., :3])
    path = tmp_path / "picture.jpg"
    picture.save(path)
    rows = [{"images": {"bytes": path.read_bytes(), "path": None}, "text": "Q: What? A: Noise."}]
    write_configuration(tmp_path, "ok-vqa", rows, FEATURES["ok-vqa"])
    write_configuration(tmp_path, "oscar", [{"text": "Once"}, {"text": "upon"}], FEATURES["oscar"])
    assert list(load(tmp_path, "oscar", streaming)) == [
        {"text": "Once", "task": "jat/oscar"},
        {"text": "upon", "task": "jat/oscar"},
    ]
    (row,) = load(tmp_path, "ok-vqa", streaming)
    assert row["text"] == "Q: What? A: Noise."
    # JPEG loses something each time that it is encoded: the picture must be the very one of the file.
    np.testing.assert_array_equal(np.asarray(row["images"]), np.asarray(PIL.Image.open(path)))


@pytest.mark.parametrize("name", ["metaworld-assembly", "babyai-go-to", "atari-alien", "ok-vqa"])
def test_what_is_imported_is_what_is_loaded(tmp_path, name):
    if name == "ok-vqa":
        rows = [{"images": PIL.Image.fromarray(FRAMES[0, ..., :3]), "text": "Q: What? A: Noise."}]
        write_configuration(tmp_path, name, rows, FEATURES[name])
    else:
        write_configuration(tmp_path, name, [episode(name), episode(name, steps=2)])
    count = import_jat(name, tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"))
    loaded, imported = list(load(tmp_path, name)), list(read_episodes(tmp_path / "imported"))
    assert count == len(loaded) == len(imported)
    for row, expected in zip(imported, loaded, strict=True):
        assert row.keys() == expected.keys()
        for column, value in expected.items():
            np.testing.assert_array_equal(np.asarray(row[column]), np.asarray(value))
    provenance = read_provenance(tmp_path / "imported" / "train-00000.parquet")
    assert provenance["task"] == jat_task_id(name)
    assert name in provenance["source"]


def with_value(name, column, step, value):
    row = episode(name)
    row[column] = list(row[column])
    row[column][step] = value
    return row


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        (
            "mujoco-ant",
            with_value("mujoco-ant", "continuous_observations", 2, [np.nan] * 39),
            "row 1: continuous_observations of step 2 holds a number that is not finite",
        ),
        (
            "metaworld-assembly",
            with_value("metaworld-assembly", "continuous_actions", 1, [0.0, np.inf, 0.0, 0.0]),
            "row 1: continuous_actions of step 1 holds a number that is not finite",
        ),
        (
            "mujoco-ant",
            with_value("mujoco-ant", "continuous_observations", 1, [0.0]),
            "row 1: continuous_observations of step 1 has 1 values, that of step 0 39",
        ),
        ("mujoco-ant", episode("mujoco-ant") | {"rewards": [1.0]}, "row 1: .*one length.*'rewards': 1"),
        ("mujoco-ant", episode("mujoco-ant", steps=0), "row 1: an episode must have at least one step"),
    ],
)
def test_a_bad_row_is_named(tmp_path, name, row, message):
    write_configuration(tmp_path, name, [episode(name), row])
    with pytest.raises(GatoError, match=message):
        list(load(tmp_path, name))
    with pytest.raises(GatoError, match=message):
        import_jat(name, tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"))
    assert not (tmp_path / "imported").exists()
    assert not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize(
    ("features", "row", "message"),
    [
        (
            {"continuous_observations": NUMBERS, "rewards": List(Value("float32"))},
            episode("mujoco-ant"),
            "mujoco-ant of .* needs continuous_actions or discrete_actions",
        ),
        (
            {**FEATURES["mujoco-ant"]},
            episode("mujoco-ant"),
            "mujoco-ant of .* needs rewards, its columns are",
        ),
        (
            FEATURES["mujoco-ant"] | {"rewards": List(Value("string"))},
            episode("mujoco-ant") | {"rewards": ["a", "b", "c"]},
            "rewards must be lists of float16 or float32 or float64, it is lists of string",
        ),
        (
            FEATURES["mujoco-ant"]
            | {"continuous_observations": List(Value("float32")), "rewards": List(Value("float32"))},
            episode("mujoco-ant") | {"continuous_observations": [0.0, 0.0, 0.0]},
            "continuous_observations must be lists of lists of .*, it is lists of float32",
        ),
    ],
)
def test_a_wrong_schema_is_named(tmp_path, features, row, message):
    write_configuration(tmp_path, "mujoco-ant", [row], features)
    with pytest.raises(GatoError, match=message):
        load(tmp_path, "mujoco-ant")


def test_a_truncated_file_is_named(tmp_path):
    path = write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")] * 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(GatoError, match=f"{path.name} can't be read, it is truncated"):
        load(tmp_path, "mujoco-ant")


def test_what_is_not_there(tmp_path):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    with pytest.raises(GatoError, match=r"no configuration 'mujoco-and'.*\['mujoco-ant'\]"):
        load(tmp_path, "mujoco-and")
    with pytest.raises(GatoError, match="no split 'test'"):
        load(tmp_path, "mujoco-ant", split="test")
    write_configuration(tmp_path, "babyai-go-to", [episode("babyai-go-to")])
    with pytest.raises(GatoError, match="no continuous actions"):
        load(tmp_path, "babyai-go-to", action_bounds=(-1, 1))


def test_a_dataset_that_is_not_on_the_hub(monkeypatch):
    def load_dataset(*names, **options):
        raise FileNotFoundError("no such repository")

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    with pytest.raises(GatoError, match="oscar of user/none, split train can't be found on the Hub"):
        load_jat("oscar", path="user/none")


def test_an_import_does_not_touch_a_folder_that_is_not_empty(tmp_path):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    import_jat("mujoco-ant", tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"))
    with pytest.raises(ValueError, match="imported is there already"):
        import_jat("mujoco-ant", tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"))


def test_an_import_of_many_rows_makes_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr("gato_hub.data.parquet.EPISODES_A_FILE", 2)
    rows = [episode("mujoco-ant") | {"rewards": [float(number)] * 3} for number in range(5)]
    write_configuration(tmp_path, "mujoco-ant", rows)
    (tmp_path / ".partial-imported").mkdir()
    (tmp_path / ".partial-imported" / "train-00009.parquet").write_text("of a run that was killed")
    written = []
    import_jat(
        "mujoco-ant", tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"), progress=written.append
    )
    assert written == [2, 2, 1]
    assert sorted(path.name for path in (tmp_path / "imported").iterdir()) == [
        f"train-0000{number}.parquet" for number in range(3)
    ]
    assert read_episodes(tmp_path / "imported")["rewards"][:] == [row["rewards"] for row in rows]
    assert not (tmp_path / ".partial-imported").exists()


def test_a_second_file_with_other_columns_is_named(tmp_path):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    other = write_configuration(tmp_path, "babyai-go-to", [episode("babyai-go-to")])
    other.rename(tmp_path / "mujoco-ant" / "train-00001-of-00002.parquet")
    with pytest.raises(
        GatoError, match=r"train-00001-of-00002.parquet has the columns \['text_observations'.*before it"
    ):
        load(tmp_path, "mujoco-ant")


@pytest.mark.parametrize("streaming", [True, False])
def test_a_second_file_with_other_types_is_told(tmp_path, streaming):
    write_configuration(tmp_path, "mujoco-ant", [episode("mujoco-ant")])
    other = write_configuration(
        tmp_path,
        "other",
        [episode("mujoco-ant") | {"rewards": ["a", "b", "c"]}],
        FEATURES["mujoco-ant"] | {"rewards": List(Value("string"))},
    )
    other.rename(tmp_path / "mujoco-ant" / "train-00001-of-00002.parquet")
    with pytest.raises(GatoError, match=r"mujoco-ant of .*, split train can't be read: "):
        if streaming:
            import_jat("mujoco-ant", tmp_path / "imported", path=tmp_path, cache_dir=str(tmp_path / "cache"))
        else:
            load(tmp_path, "mujoco-ant", streaming=False)
