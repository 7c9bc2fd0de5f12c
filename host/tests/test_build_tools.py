"""The tools that set the project up: where they look for a mirror, and which points a sampled run takes."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import sampling

ROOT = Path(__file__).resolve().parents[2]


def load(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


debian_source = load("boards/tools/debian_source.py")

DEB822 = """Types: deb
# a comment
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
"""


def test_a_deb822_mirror_is_found_past_the_security_archive(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)

    assert debian_source.debian_mirror(tmp_path) == "http://mirror.example/debian"


def test_a_one_line_mirror_is_found_with_and_without_options(tmp_path):
    listed = "# deb http://old.example buzz main\ndeb [arch=amd64] http://m.example/debian trixie main\n"
    (tmp_path / "sources.list").write_text(listed)

    assert debian_source.debian_mirror(tmp_path) == "http://m.example/debian"


def test_a_machine_without_a_debian_mirror_is_told_so(tmp_path):
    (tmp_path / "sources.list").write_text("deb http://other.example/linux noble main\n")

    with pytest.raises(debian_source.Unavailable, match="no Debian mirror"):
        debian_source.debian_mirror(tmp_path)


def test_a_source_that_is_not_the_pinned_one_is_refused_and_removed(tmp_path):
    tarball = tmp_path / "micropython.tar.xz"
    tarball.write_bytes(b"something else")

    with pytest.raises(debian_source.Unavailable, match="pinned is"):
        debian_source.check_digest(tarball, "0" * 64)

    assert not tarball.exists()


@pytest.mark.parametrize("every", [1, 2, 7, 8, 40])
@pytest.mark.parametrize("count", [1, 5, 100])
def test_as_many_commits_as_k_see_every_point_and_none_sees_nothing(monkeypatch, every, count):
    monkeypatch.setenv("SAMPLE", f"1/{every}")
    seen = set()
    for commit in range(every):
        monkeypatch.setattr(sampling, "offset", lambda k, commit=commit: commit % k)
        now = sampling.sampled(range(count))
        assert now
        seen.update(now)

    assert seen == set(range(count))


def test_a_sample_that_is_not_a_kth_is_refused(monkeypatch):
    monkeypatch.setenv("SAMPLE", "2/3")

    with pytest.raises(ValueError, match="must be 1/k"):
        sampling.sampled(range(10))


def test_a_suite_that_fails_fails_the_run_and_shows_its_log(tmp_path):
    (tmp_path / "Makefile").write_text("good:\n\t@echo 3 passed\nbad:\n\t@echo the reason; exit 1\n")
    command = [sys.executable, ROOT / "boards" / "tools" / "suites.py", "good", "bad,good"]

    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert ended.returncode == 1
    assert "bad FAILED" in ended.stdout
    assert ended.stdout.count("good passed") == 2
    assert "bad failed; its log:\nthe reason" in ended.stdout


def test_make_alone_lists_every_word_with_a_line_of_help():
    command = ["make", "--no-print-directory"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    words = makefile.split("WORDS := ")[1].splitlines()[0].split()

    assert {line.split()[0] for line in listed.splitlines()} == set(words)
