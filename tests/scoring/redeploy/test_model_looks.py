"""What is seen of a named model, what that refuses, and what is told of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import AzureRequestError, CredentialError, MissingRightError
from shared.scoring.redeploy import model_looks
from shared.scoring.redeploy.model_files import ModelLook, told, unsuited
from shared.scoring.redeploy.model_looks import ModelLooks
from shared.scoring.redeploy.record import Ground
from shared.scoring.service import Service
from tests.support.fake_models import FakeImageVersions, FakeModelFiles
from tests.support.rds_files import for_newer_r, saved
from tests.support.redeploys import A_SNAPSHOT
from tests.support.scoring_builders import a_subject

OLD, NEW = saved(reader="3.5.0"), for_newer_r(saved(reader="3.5.0"), reader="4.9.0")
PAGE, POINTER = b"<!doctype html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n"
A_RIGHT = MissingRightError("Microsoft.Storage/blobs/read", on="st1")
AWAY = AzureRequestError("st1: 503", status=503, retryable=True)


async def look(
    files: Mapping[str, bytes] | Exception | None,
    *,
    image: str | Exception = "4.3.1",
    r_version: str | None = None,
) -> tuple[list[tuple[Ground, str]], list[str], FakeImageVersions]:
    trouble = files if isinstance(files, Exception) else None
    models = {} if files is None or isinstance(files, Exception) else {"weight-lm:5": files}
    images = (
        FakeImageVersions(trouble=image)
        if isinstance(image, Exception)
        else FakeImageVersions(says=image)
    )
    looks = ModelLooks(files=FakeModelFiles(models=models, trouble=trouble), images=images)
    service = a_service(r_version=r_version)
    seen = await looks.look(service, "weight-lm:5", snapshot=A_SNAPSHOT)
    refused = [(each.ground, each.text) for each in unsuited(seen)]
    return refused, list(told(seen)), images


def a_service(**more: Any) -> Service:
    return a_subject("weight", **more).service


async def test_a_file_that_the_images_r_reads_is_let_in_and_both_versions_are_told() -> None:
    refused, said, _ = await look({"model.rds": OLD})

    assert refused == []
    assert said == [
        (
            "model.rds (format 3, written by R 4.3.1) can be read from R 3.5.0 on; "
            "the image has R 4.3.1"
        )
    ]


async def test_of_several_files_the_one_that_needs_the_latest_r_counts() -> None:
    refused, _, _ = await look({"a/old.rds": OLD, "a/new.RData": NEW, "score.py": b"import rpy2"})

    text = "the model's file a/new.RData needs R 4.9.0 or later; the image has R 4.3.1"
    assert refused == [(Ground.MODEL_UNSUITED, text)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PAGE, "is no file of R's saveRDS"),
        (POINTER, "is a pointer of Git LFS, not the file itself"),
        (b"", "is no file of R's saveRDS"),
        (OLD[:12], "is no file of R's saveRDS"),
    ],
)
async def test_what_is_no_file_of_rs_is_refused_whatever_the_image_has(
    content: bytes, says: str
) -> None:
    refused, _, _ = await look({"model.rds": content}, image=AWAY)

    assert refused == [(Ground.MODEL_UNSUITED, f"the model's file model.rds {says}")]


async def test_a_model_that_is_not_registered_is_refused_by_name() -> None:
    refused, said, _ = await look(None)

    text = "model: weight-lm:5 is not registered"
    assert (refused, said) == ([(Ground.MODEL_NOT_FOUND, text)], [])


@pytest.mark.parametrize("trouble", [A_RIGHT, AWAY, CredentialError("the vault is away")])
async def test_files_that_cannot_be_read_refuse_nothing_and_are_told(trouble: Exception) -> None:
    refused, said, images = await look(trouble)

    assert (refused, images.asked) == ([], 0)
    assert said == [f"the model's files were not looked at: {trouble}"]


async def test_files_that_nobody_answers_for_refuse_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_looks, "LOOK_SECONDS", 0.01)
    looks = ModelLooks(files=FakeModelFiles(hangs=True), images=FakeImageVersions())

    seen = await looks.look(a_service(), "weight-lm:5", snapshot=A_SNAPSHOT)

    assert list(unsuited(seen)) == []
    assert next(told(seen)).startswith("the model's files were not looked at: no answer within")


async def test_a_file_compressed_by_zstd_is_told_and_refuses_nothing() -> None:
    refused, said, _ = await look({"model.rds": b"\x28\xb5\x2f\xfd and so on"})

    assert refused == []
    assert said == ["model.rds was not looked at: it is compressed by zstd, which is not read here"]


@pytest.mark.parametrize(
    ("image", "because"),
    [("", ""), (AWAY, ": st1: 503"), (A_RIGHT, f": {A_RIGHT}"), ("devel", ": it says devel")],
)
async def test_an_r_that_is_not_known_refuses_nothing_and_is_told(
    image: str | Exception, because: str
) -> None:
    refused, said, _ = await look({"model.rds": NEW}, image=image)

    assert refused == []
    assert said[0].endswith(f"needs R 4.9.0; the image's R is not known{because}")


async def test_the_r_that_a_team_declares_comes_before_the_images() -> None:
    refused, _, images = await look({"model.rds": NEW}, image=AWAY, r_version="4.2")

    assert images.asked == 0
    assert refused[0][1].endswith("needs R 4.9.0 or later; the image has R 4.2.0")
    assert (await look({"model.rds": NEW}, r_version="4.9.1"))[0] == []


async def test_a_model_without_files_of_rs_is_not_spoken_of() -> None:
    refused, said, images = await look({"model.pkl": b"\x80\x04"})

    assert (refused, said, images.asked) == ([], [], 0)
    assert (list(unsuited(ModelLook())), list(told(ModelLook()))) == ([], [])
