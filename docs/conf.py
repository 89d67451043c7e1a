"""The documentation site, which ``make docs`` builds without a network; API pages come from the public names."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import jevons

project = "jevons"
author = "The jevons developers"
project_copyright = "2026, The jevons developers"
version = release = jevons.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "images"]
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = f"jevons {version}"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 7,
}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["jevons.css"]
smartquotes_action = "q"  # dashes of options such as --set stay as they are typed

STAGES = (
    "facts",
    "hardware",
    "operators",
    "models",
    "serving",
    "training",
    "costing",
    "market",
    "expansion",
    "finance",
    "sizing",
    "study",
    "validation",
    "plot",
    "report",
)
API = Path(__file__).parent / "reference" / "api"
_CITED = re.compile(r"\[(\w+)\]_")


def entry(module: str, name: str, value: Any, *, seen: set[int]) -> str:
    """Return the directive that documents one public name; a second mention of a name is left out of the index."""
    if not callable(value):
        return ""
    kind, rest = ("autoclass", "   :members:\n") if inspect.isclass(value) else ("autofunction", "")
    again = "   :no-index:\n" if id(value) in seen else ""
    seen.add(id(value))
    return f".. {kind}:: {module}.{name}\n{rest}{again}"


def page(title: str, module: str, names: list[str], seen: set[int]) -> str:
    """Return a page with the public names of one module."""
    home = importlib.import_module(module)
    text = "\n".join(filter(None, (entry(module, name, getattr(home, name), seen=seen) for name in names)))
    note = inspect.getdoc(home) if module != "jevons" else ""
    first = " ".join((note or "").split("\n\n")[0].split()).replace("``", "`")
    return f"# {title}\n\n{first}\n\n```{{eval-rst}}\n{text}```\n"


def write_api(_app: Sphinx) -> None:
    """Write a page for the package and one for each stage."""
    API.mkdir(exist_ok=True)
    public = [name for name in jevons.__all__ if not inspect.ismodule(getattr(jevons, name))]
    seen: set[int] = set()
    pages = {"jevons": page("jevons", "jevons", public, seen)}
    for stage in STAGES:
        home = importlib.import_module(f"jevons.{stage}")
        names = [name for name in getattr(home, "__all__", ()) if not inspect.ismodule(getattr(home, name))]
        pages[stage] = page(f"jevons.{stage}", f"jevons.{stage}", names, seen)
    listed = "\n".join(pages)
    pages["index"] = (
        f"# Python API\n\nFunctions of the package, and public names of each stage.\n\n```{{toctree}}\n{listed}\n```\n"
    )
    for name, text in pages.items():
        path = API / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def plain_citations(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Show citation keys as text: their entries are facts, not pages."""
    lines[:] = [_CITED.sub(r"[\1]", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Connect the hooks."""
    app.connect("builder-inited", write_api)
    app.connect("autodoc-process-docstring", plain_citations)
