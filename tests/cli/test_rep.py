"""What people see of reputations: tables that read as promised, parts that add up, words that are passed on."""

from __future__ import annotations

import csv
import io

import pytest
from msgspec import structs

from tests.cli import scripted_reputation
from tests.cli.conftest import Shell
from tests.cli.scripted import ANN, Scripted


def test_reputation_table_reads_as_promised(shell: Shell, service: Scripted) -> None:
    head, line = shell.run("rep", "ls").stdout.splitlines()
    words = ["PEER", "REPUTATION", "95", "%", "CI", "RESOLVED", "AGREE", "IN", "A", "ROW", "LAST", "FLAGS"]
    assert head.split() == words
    assert line.split()[:8] == ["ann", "…Kq9f", "0.871", "0.79–0.93", "41", "97.6", "%", "12"]
    assert service.calls == [("reputation", None)]


def test_show_tells_history_the_next_audit_and_the_operators_word(shell: Shell, service: Scripted) -> None:
    text = shell.run("rep", "show", "annie").stdout
    assert "▅▅▆▇" in text
    assert "0.50 → 0.80" in text
    assert "97 of 1797" in text
    assert "met in Ghent" in text
    assert max(map(len, text.splitlines())) <= 120
    assert service.calls == [("reputation_of", "annie")]


@pytest.mark.parametrize(("resolved", "text"), [(0, "nothing yet"), (1, "1 result, "), (41, "41 results, ")])
def test_show_counts_in_words_that_fit(
    resolved: int, text: str, shell: Shell, service: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted_reputation, "DETAIL", structs.replace(scripted_reputation.DETAIL, resolved=resolved))
    (line,) = (line for line in shell.run("rep", "show", "ann").stdout.splitlines() if line.startswith("re-run"))
    assert line.split(maxsplit=1)[1].startswith(text)


def test_explanation_is_a_sum(shell: Shell, service: Scripted) -> None:
    rows = [line.split("\t") for line in shell.run("rep", "explain", "Kq9f", "--plain").stdout.splitlines()]
    parts = {row[0]: float(row[1]) for row in rows if len(row) == 3 and row[1][:1] in "+-0"}
    opinion = parts.pop("opinion")
    assert sum(parts.values()) == pytest.approx(opinion, abs=1e-3)
    assert max(map(len, shell.run("rep", "explain", "Kq9f").stdout.splitlines())) <= 120


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("rep", "trust", "ann", "--for", "30d", "--note", "met"), ("judge", "ann", True, 30 * 86400.0, "met")),
        (("rep", "distrust", "ann"), ("judge", "ann", False, None, "")),
        (("rep", "forget", "ann"), ("judge", "ann", None, None, "")),
        (("rep", "bound"), ("bound", ())),
        (("rep", "bound", "ann", "bob"), ("bound", ("ann", "bob"))),
        (("peers", "name", "Kq9f", "annie"), ("name", "Kq9f", "annie")),
        (("board", "digits", "--trust-root", "ann"), ("board", "digits", "ann")),
    ],
)
def test_words_are_passed_on(words: tuple[str, ...], call: tuple[object, ...], shell: Shell, service: Scripted) -> None:
    result = shell.run(*words)
    assert result.exit_code == 0, result.output
    assert service.calls == [call]


def test_raters_word_is_shown_as_what_it_counts_for(shell: Shell, service: Scripted) -> None:
    text = shell.run("rep", "explain", "Kq9f").stdout
    assert "word of " in text
    assert "counts as " in text
    assert "bound on" in text


def test_bound_on_nobody_says_so(shell: Shell, service: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_reputation, "BOUND", structs.replace(scripted_reputation.BOUND, peers=()))
    assert shell.run("rep", "bound").stdout.startswith("nobody is known here")


def test_export_as_csv_has_a_line_for_each_peer(shell: Shell, service: Scripted) -> None:
    head, line = csv.reader(io.StringIO(shell.run("rep", "export", "--format", "csv").stdout))
    row = dict(zip(head, line, strict=True))
    assert (row["peer"], row["pet_name"], row["streak"], row["flags"]) == (ANN, "annie", "12", "differed(1)")
    assert float(row["mass"]) == 0.2


def test_a_bad_duration_is_named(shell: Shell, service: Scripted) -> None:
    result = shell.run("rep", "trust", "ann", "--for", "soon")
    assert result.exit_code == 2
    assert "'soon' is no duration; write 30s, 5m, 2h or 30d" in result.stderr
    assert service.calls == []


def test_no_time_at_all_is_refused_with_what_to_write(shell: Shell, service: Scripted) -> None:
    result = shell.run("rep", "distrust", "ann", "--for", "0s")
    assert result.exit_code == 2
    assert "write 2h or 30d" in result.stderr
    assert "rep forget" in result.stderr
    assert service.calls == []
