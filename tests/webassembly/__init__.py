"""Python 3.14 as WebAssembly, in node: the tests that need no thread, no process and no socket run in it.

`nox -s webassembly` installs pyodide from npm and the packages from the package index, and starts run.mjs.
"""
