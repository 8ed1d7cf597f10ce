# SPDX-License-Identifier: GPL-2.0-only
"""Compiling the engine in one piece: the only module that reaches into the inside of numba.

numba optimises every function together with all that it calls, and turns each into machine code,
although only the entry point is called from Python. Here the inner functions are typed and lowered
only. The entry point links them all, once, and it alone is optimised and turned into machine code.
A compiler of one's own is an option of numba.njit (`pipeline_class`); how a library of code is
finished is not documented, so this is used with the releases that it was tested with only, and
numba's own way is the way back.
"""

import os
from collections.abc import Iterator
from typing import Any

import numba
from numba.core import compiler, registry, typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import PassManager

TESTED = ((0, 68),)  # releases of numba: tests/runs/test_linking.py
PLAIN = "KRCSIM_PLAIN_COMPILE"  # set this variable, and numba compiles in its own way
ENVIRONMENT = "_ZN08NumbaEnv"  # how names of what a function needs of Python begin


class LinkingError(Exception):
    """The functions cannot be compiled in one piece."""


def is_wanted() -> bool:
    """Whether this release of numba was tested, and nobody asked for numba's own way."""
    release = tuple(int(part) for part in numba.__version__.split(".")[:2])
    return release in TESTED and not os.environ.get(PLAIN)


def target() -> tuple[str, ...]:
    """The compiler and the processor that machine code is made for."""
    code = registry.cpu_target.target_context.codegen()
    return (numba.__version__, *map(str, code.magic_tuple()))


class _NoCode:
    """Stands for the code generator where numba would write into code that was never loaded."""

    def set_env(self, _name: str, _environment: Any) -> None:
        """An inner function needs nothing of Python: EntryLibrary sees to that."""


class InnerLibrary(JITCodeLibrary):  # type: ignore[misc]
    """A function as it was lowered: not optimised, and no machine code."""

    def add_llvm_module(self, ll_module: Any) -> None:
        """Take the code in as it is; raises LinkingError if it needs something of Python."""
        for variable in ll_module.global_variables:
            if variable.name.startswith(ENVIRONMENT) and str(ll_module).count(variable.name) > 1:
                raise LinkingError(f"{self.name}() needs something of Python")
        self._final_module.link_in(ll_module)

    def add_linking_library(self, library: Any) -> None:
        """Remember what the function calls."""
        self._linking_libraries.append(library)

    def finalize(self) -> None:
        """Nothing more is to be added."""
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        """No machine code, no pointer."""
        return 0

    @property
    def codegen(self) -> Any:
        """See _NoCode."""
        return _NoCode()


class EntryLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The entry point and all that it calls, optimised as a whole."""

    def add_llvm_module(self, ll_module: Any) -> None:
        """Take the code in as it is."""
        self._final_module.link_in(ll_module)

    def add_linking_library(self, library: Any) -> None:
        """Remember what the function calls."""
        self._linking_libraries.append(library)

    def finalize(self) -> None:
        """Link, optimise and turn into machine code."""
        self._raise_if_finalized()
        module = self._final_module
        own = {function.name for function in module.functions if not function.is_declaration}
        own_variables = {variable.name for variable in module.global_variables}

        for library in _all_called(self):
            self._reload_init.update(library._reload_init)
            inner = isinstance(library, InnerLibrary)
            code = library._final_module if inner else library._get_module_for_linking()
            module.link_in(code, preserve=True)

        for function in module.functions:  # nobody else calls them, so they may be dissolved
            if not function.is_declaration and function.name not in own:
                function.linkage = "internal"
        for variable in module.global_variables:
            if variable.name.startswith(ENVIRONMENT) and variable.name not in own_variables:
                variable.linkage = "internal"  # nothing uses it, so it goes away
        self._optimize_final_module()
        module.verify()
        self._finalize_final_module()


def _all_called(entry: EntryLibrary) -> Iterator[Any]:
    """The libraries of all functions that are called, directly or not."""
    seen: set[int] = set()
    todo = list(entry._linking_libraries)
    while todo:
        library = todo.pop()
        if id(library) in seen:
            continue
        seen.add(id(library))
        if isinstance(library, InnerLibrary):
            todo += library._linking_libraries
        yield library


class _Brief(tuple):  # type: ignore[type-arg]
    """Types of arguments that do not print their fields: numba prints them before each pass."""

    def __repr__(self) -> str:
        return f"({len(self)} types)"


class InnerCompiler(compiler.Compiler):  # type: ignore[misc]
    """Types and lowers a function, with the passes that plain arithmetic needs."""

    def define_pipelines(self) -> list[Any]:
        """The passes, and a library for the code."""
        state = self.state
        state.args = _Brief(state.args)
        state.library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)

        passes = PassManager("krcsim")
        passes.add_pass(untyped_passes.TranslateByteCode, "analyzing bytecode")
        passes.add_pass(untyped_passes.FixupArgs, "fix up args")
        passes.add_pass(untyped_passes.IRProcessing, "processing IR")
        passes.add_pass(untyped_passes.GenericRewrites, "nopython rewrites")
        passes.add_pass(untyped_passes.ReconstructSSA, "ssa")
        passes.add_pass(typed_passes.NopythonTypeInference, "nopython frontend")
        passes.add_pass(typed_passes.PreLowerStripPhis, "remove phis nodes")
        passes.add_pass(typed_passes.IRLegalization, "ensure IR is legal prior to lowering")
        passes.add_pass(typed_passes.NativeLowering, "native lowering")
        passes.add_pass(typed_passes.NoPythonBackend, "nopython mode backend")
        passes.finalize()
        return [passes]


class EntryCompiler(compiler.Compiler):  # type: ignore[misc]
    """numba's own passes, and a library that links all that is called."""

    def define_pipelines(self) -> list[Any]:
        """The passes, and a library for the code."""
        state = self.state
        state.library = EntryLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()  # else it could not be kept
        pipelines: list[Any] = super().define_pipelines()
        return pipelines
