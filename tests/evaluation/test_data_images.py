from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from data_folder import DataFolder
from PIL import Image

FOLDERS = 'file = "photos"\nmode = "{mode}"'
LIST = 'file = "photos"\nmode = "L"\nlabel = "labels.csv"'
GREY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 51


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.toml(FOLDERS.format(mode="L"), shape=(1, 2, 3))
    return folder


def save(folder: DataFolder, name: str, pixels: np.ndarray, **options: object) -> Path:
    path = folder.path / "photos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def test_folders_name_the_classes_and_pixels_run_from_0_to_1(folder: DataFolder) -> None:
    folder.toml(FOLDERS.format(mode="L"), shape=(1, 2, 3), classes='classes = ["cat", "dog"]')
    save(folder, "dog/1.png", GREY)
    save(folder, "cat/2.png", GREY // 51)
    save(folder, "cat/10.png", GREY * 0)
    (folder.path / "photos" / ".DS_Store").write_text("no picture")
    assert folder.prepare().per_class == (2, 1)
    assert folder.labels() == [0, 0, 1]  # cat/10.png, cat/2.png, dog/1.png
    assert folder.inputs()[2, 0].tolist() == [[np.float32(v / 5) for v in row] for row in ([0, 1, 2], [3, 4, 5])]
    assert folder.inputs()[1, 0, 1, 2] == np.float32(5 / 255)


@pytest.mark.parametrize(("shape", "at"), [((3, 2, 3), (2, 1, 0)), ((2, 5, 3), (1, 0, 2))])
def test_channels_stand_where_the_models_shape_has_them(
    folder: DataFolder, shape: tuple[int, ...], at: tuple[int, ...]
) -> None:
    folder.toml(FOLDERS.format(mode="RGB") + '\npixels = "byte"', shape=shape)
    height, width = (2, 3) if shape[0] == 3 else (2, 5)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[1, 0, 2] = 200
    save(folder, "0/blue.png", pixels)
    folder.prepare()
    assert folder.inputs()[0][at] == 200
    assert folder.inputs()[0].sum() == 200


def test_integer_inputs_take_bytes(folder: DataFolder) -> None:
    folder.toml(FOLDERS.format(mode="L"), shape=(2, 3), dtype="int32")
    save(folder, "0/a.png", GREY)
    folder.prepare()
    assert folder.inputs()[0].tolist() == GREY.tolist()


def test_pictures_are_converted_to_the_declared_mode(folder: DataFolder) -> None:
    save(folder, "0/rgb.png", np.full((2, 3, 3), 255, np.uint8))
    folder.prepare()
    assert (folder.inputs() == 1).all()


def test_exif_turns_nothing(folder: DataFolder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down, says the camera
    save(folder, "0/a.png", GREY)
    folder.prepare()
    upright = folder.inputs().tolist()
    save(folder, "0/a.png", GREY, exif=exif)
    folder.prepare()
    assert folder.inputs().tolist() == upright


def test_a_list_names_labels_and_groups_in_its_own_order(folder: DataFolder) -> None:
    folder.toml(LIST + '\ngroups = "camera"', shape=(2, 3), classes="")
    save(folder, "b.jpg", GREY)
    save(folder, "sub/a.png", GREY * 0)
    (folder.path / "photos" / "labels.csv").write_text("file,camera,label\nsub/a.png,old,1.5\nb.jpg,new,-2\n")
    folder.prepare()
    assert folder.labels() == [1.5, -2]
    assert folder.groups() == ["old", "new"]
    assert folder.inputs()[0].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_every_bad_picture_is_named(folder: DataFolder) -> None:
    save(folder, "0/a.png", GREY[:, :2])
    save(folder, "0/b.png", (GREY.astype(np.uint16) << 8))
    save(folder, "7/c.png", GREY)
    broken = save(folder, "0/d.png", np.random.default_rng(1).integers(0, 255, (2, 3), np.uint8))
    broken.write_bytes(broken.read_bytes()[:-30])
    (folder.path / "photos" / "0" / "e.txt").write_text("hello")
    (folder.path / "photos" / "readme.txt").write_text("hello")
    beside, *lines = folder.error().message.splitlines()
    assert len(lines) == 5
    assert "readme.txt: lies beside the folders of the classes" in beside
    assert lines[0] == "photos 0/a.png: 2×2 pixels, but [model] inputs shape wants 3×2"
    assert "0/b.png: its pixels are stored as I;16" in lines[1]
    assert "0/d.png: " in lines[2]
    assert "0/e.txt: it is no PNG or JPEG file" in lines[3]
    assert lines[4] == "photos 7/c.png: '7' is no class: they are 0 to 2"


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "gone.png"])
def test_a_list_names_only_pictures_in_the_folder(folder: DataFolder, path: str) -> None:
    folder.toml(LIST, shape=(2, 3))
    save(folder, "a.png", GREY)
    save(folder, "../secret.png", GREY)
    (folder.path / "photos" / "labels.csv").write_text(f"file,label\na.png,1\n{path},1\n")
    assert "(labels.csv row 3): " in folder.error().message


def test_a_bomb_is_refused_by_its_header(folder: DataFolder) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    path = save(folder, "0/a.png", GREY)
    chunk = b"IHDR" + header
    bomb = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(path.read_bytes()[:8] + bomb + path.read_bytes()[33:])
    message = folder.error().message
    assert "0/a.png: " in message
    assert "decompression bomb" in message


@pytest.mark.parametrize(
    ("data", "shape", "complaint"),
    [
        (FOLDERS.format(mode="RGB"), (2, 3), "[data] mode: 'RGB' pictures have 3 channels"),
        (FOLDERS.format(mode="CMYK"), (2, 3), "[data] mode: 'CMYK' is none of"),
        (FOLDERS.format(mode="L") + '\ngroups = "camera"', (2, 3), "[data] groups: need a list of the images"),
        (FOLDERS.format(mode="L") + '\ninput = ["a"]', (2, 3), "[data] input: is no key"),
        ('file = "photos"', (2, 3), "[data] mode: is missing"),
    ],
)
def test_what_images_need_to_be_told(folder: DataFolder, data: str, shape: tuple[int, ...], complaint: str) -> None:
    folder.toml(data, shape=shape)
    assert complaint in folder.config_error()


def test_numbers_from_0_to_1_do_not_fit_integers(folder: DataFolder) -> None:
    folder.toml(FOLDERS.format(mode="L") + '\npixels = "unit"', shape=(2, 3), dtype="int64")
    assert "[data] pixels: " in folder.config_error()
