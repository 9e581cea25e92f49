"""Python files of a user's own, an attack or a defence: loaded, and their errors told as theirs."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from p2peval.errors import ConfigError

LOADING = (ImportError, SyntaxError, NameError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError)
"""What a file may raise while it is loaded."""


def loaded(path: Path, kind: str) -> ModuleType:
    """The module in ``path``. ``kind``: what it should define, for the error. Raises ConfigError."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file", hint=f"give the path of a Python file that defines {kind}")
    spec = spec_from_file_location(f"p2peval_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: not a Python file", hint="its name must end in .py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for what its annotations name
    try:
        spec.loader.exec_module(module)
    except LOADING as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}", hint=f"python {path} says where") from error
    return module
