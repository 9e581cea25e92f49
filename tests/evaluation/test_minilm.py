"""The transformer that other tests run is the real one."""

from __future__ import annotations

import numpy as np
from minilm import MINILM_IN, MINILM_OUT, minilm, random_tokens, reference, tokens

from p2peval.evaluation.recipe import open_model
from p2peval.evaluation.scan import scan

SENTENCES = [
    "A man is eating pasta.",
    "Someone eats a plate of noodles.",
    "The stock market fell sharply today.",
    "Share prices dropped on Wednesday.",
]


def test_its_outputs_are_those_of_a_reference_forward_pass() -> None:
    scan(minilm())
    ids = np.concatenate([tokens(SENTENCES), random_tokens(28)])
    ours = open_model(minilm(), MINILM_IN, MINILM_OUT).run_all(ids)
    np.testing.assert_allclose(ours, reference(ids), atol=2e-6)


def test_it_knows_what_sentences_mean() -> None:
    embedding = open_model(minilm(), MINILM_IN, MINILM_OUT).run_all(tokens(SENTENCES))
    alike = embedding @ embedding.T
    assert alike[0, 1] > 0.5 > 0.2 > np.abs(alike[:2, 2:]).max()
    assert alike[2, 3] > 0.5
