"""The files of the service: what systemd and udev are told."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[1] / "service"
UNIT = SERVICE / "sealcam-dock.service"
RULES = SERVICE / "60-sealcam-dock.rules"
_PAIR = re.compile(r'[A-Z]+(\{[A-Za-z_]+\})?(==|!=|=|\+=)"[^"]*"')


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/sealcam/bin/sealcam", "/bin/true"))

    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_unit_has_no_privilege_and_starts_again() -> None:
    lines = UNIT.read_text().splitlines()

    for asked in ("User=sealcam", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict"):
        assert asked in lines
    assert "Restart=on-failure" in lines and any(line.startswith("ReadWritePaths=") for line in lines)


def test_every_rule_of_udev_is_whole_and_every_way_leads_somewhere() -> None:
    rules = [line for line in RULES.read_text().splitlines() if line and not line.startswith("#")]

    assert [rule for rule in rules if not all(_PAIR.fullmatch(p.strip()) for p in rule.split(","))] == []
    ways = set(re.findall(r'GOTO="(\w+)"', "\n".join(rules)))
    assert ways and ways == set(re.findall(r'LABEL="(\w+)"', "\n".join(rules)))
    given = [rule for rule in rules if "GROUP=" in rule]
    assert all('TAG+="systemd"' in rule and 'MODE="0660"' in rule for rule in given) and len(given) == 2
