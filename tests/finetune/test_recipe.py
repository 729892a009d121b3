"""Defaults that fit the network and the data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graticule.finetune.options import FinetuneOptions
from graticule.finetune.recipe import Circumstances, choose_recipe

LITE = Circumstances(
    n_train=1920,
    largest=240,
    smallest=240,
    parameters=3_400_000,
    normalised=True,
    pretrained=True,
    native_size=224,
    min_size=32,
    gpu=False,
)


def test_a_user_sets_nothing() -> None:
    recipe = choose_recipe(FinetuneOptions(), LITE)
    assert (recipe.batch_size, recipe.input_size, recipe.augment, recipe.balance) == (32, 160, "microscopy", "none")
    assert 10 <= recipe.epochs <= 16


def test_the_network_and_the_data_decide() -> None:
    assert choose_recipe(FinetuneOptions(), replace(LITE, normalised=False)).lr == pytest.approx(1e-4)
    assert choose_recipe(FinetuneOptions(), replace(LITE, gpu=True)).input_size == 224
    assert choose_recipe(FinetuneOptions(), replace(LITE, gpu=True, bfloat16=True)).precision == "bfloat16"
    assert choose_recipe(FinetuneOptions(), replace(LITE, gpu=True)).precision == "float32"
    assert choose_recipe(FinetuneOptions(), replace(LITE, native_size=64, min_size=64)).input_size == 64
    assert choose_recipe(FinetuneOptions(), replace(LITE, min_size=180)).input_size == 180
    assert choose_recipe(FinetuneOptions(), replace(LITE, smallest=20)).balance == "loss"
    assert choose_recipe(FinetuneOptions(), replace(LITE, ultrasound=True)).augment == "ultrasound"
    assert choose_recipe(FinetuneOptions(), replace(LITE, pretrained=False)).layer_decay == 1.0
    assert choose_recipe(FinetuneOptions(), replace(LITE, n_train=300, pretrained=False)).statistics == "learned"
    assert choose_recipe(FinetuneOptions(), LITE).statistics == "learned"
    assert choose_recipe(FinetuneOptions(), replace(LITE, n_train=300)).statistics == "kept"
    assert choose_recipe(FinetuneOptions(), replace(LITE, n_train=200)).epochs == 40
    assert choose_recipe(FinetuneOptions(), replace(LITE, n_train=500_000)).epochs == 5


def test_wishes_win() -> None:
    wishes = FinetuneOptions(
        epochs=3, batch_size=8, input_size=64, lr=0.01, augment="none", balance="loss", frozen_blocks=2
    )
    recipe = choose_recipe(wishes, LITE)
    assert (recipe.epochs, recipe.batch_size, recipe.input_size, recipe.augment, recipe.balance) == (
        3,
        8,
        64,
        "none",
        "loss",
    )
    assert recipe.frozen_blocks == 2
    assert recipe.lr == pytest.approx(0.01)
