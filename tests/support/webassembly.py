"""What Python in WebAssembly cannot do, and no test can ask for in vain: it would be the end of all."""

from __future__ import annotations

import sys

import pytest

IS_TOO_DEEP_FOR_JAVASCRIPT = pytest.mark.skipif(
    sys.platform == "emscripten", reason="JavaScript's stack ends before Python's does, and the process with it"
)
