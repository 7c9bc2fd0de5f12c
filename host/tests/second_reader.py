"""The second reader's judgement beside ours: two readers must agree on verdict, strip, k, n and place."""

import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

from recordings import ROOT
from sealhost.records import Judgement, Verdict, Word

_NAMES = {verdict: verdict.name.lower().replace("_", " ") for verdict in Verdict}


def _load() -> Any:
    path = ROOT / "docs" / "format" / "verify_recording.py"
    spec = importlib.util.spec_from_file_location("second_verify_recording", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


second = _load()


def ours(found: Judgement) -> dict[str, Any]:
    """What two readers must agree on."""
    return {
        "verdict": _NAMES[found.verdict], "strip": found.marks.decode(), "last_index": found.last_index,
        "signed_to": found.signed_to, "place": found.place,
    }  # fmt: skip


def theirs(
    parts: Sequence[bytes], points: Sequence[bytes], word: Word | None = None, **hand: Any
) -> dict[str, Any]:
    """The second reader's answer in the same words; a stranger is not judged by us."""
    said = (word.state, word.last_index, word.last_tag) if word else None
    found = second.judge([bytes(part) for part in parts], points=points, word=said, **hand)
    answer = {name: found[name] for name in ("verdict", "strip", "last_index", "signed_to", "place")}
    return {**answer, "verdict": "not judged" if answer["verdict"] == "no recording" else answer["verdict"]}
