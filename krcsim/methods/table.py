# SPDX-License-Identifier: GPL-2.0-only
"""All methods, in the order in which they are tried: a new one is a module and a row here."""

from krcsim.methods import construction, exact, plain, rare
from krcsim.methods.finding import AUTO, Method

_TRIED: tuple[Method, ...] = (construction, exact, rare, plain)
METHODS = {method.NAME: method for method in _TRIED}

# What may be asked for by name; that nothing can happen is said without being asked.
CHOICES = (AUTO, *(name for name in reversed(METHODS) if name != construction.NAME))
