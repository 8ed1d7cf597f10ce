# SPDX-License-Identifier: GPL-2.0-only
"""The verbs: each file of this folder is one, and ends in a VERB. There is no other list."""

import importlib
import pkgutil

from krcsim.cli.options import Verb

_FILES = [
    importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)
]
VERBS: dict[str, Verb] = {file.VERB.options.verb: file.VERB for file in _FILES}
