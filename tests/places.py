"""Where tests find the repository's files: one place, so that a test can move to another folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"  # small samples kept with the tests
TABLES = ROOT.parent / "shared" / "data"  # the measured tables, where they lie beside the repository
TINY = ROOT / "tests" / "unit" / "study" / "tiny.yaml"  # a small scenario, planned in about a second
MAIN = ROOT / "scenarios" / "alibaba-380bn.yaml"
