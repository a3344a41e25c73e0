// node run.mjs PROJECT PACKAGES ARGUMENTS...
// Starts Python in WebAssembly with the project and a folder of installed packages in its file system, and pytest
// in it. Exits with pytest's own status.
import { loadPyodide } from "pyodide";

const [project, packages, ...args] = process.argv.slice(2);
const folders = { "/project": project, "/packages": packages };

const python = await loadPyodide({
    // Its own process environment: nothing of the machine's gets in. C.UTF-8 and UTC are what a fresh server has.
    env: { HOME: "/home/pyodide", LANG: "C.UTF-8", TZ: "UTC" },
    fsInit: async (FS) => {
        for (const [inside, outside] of Object.entries(folders)) {
            FS.mkdirTree(inside);
            FS.mount(FS.filesystems.NODEFS, { root: outside }, inside);
        }
    },
});
python.globals.set("ARGUMENTS", python.toPy(args));
try {
    process.exitCode = python.runPython(`
import os
import runpy
import sys

os.chdir("/project")
sys.path[:0] = ["/project", "/packages"]
# By its path: pytest wants to be the first who imports the package of the tests.
runpy.run_path("tests/webassembly/inside.py")["main"](ARGUMENTS)
`);
} catch (error) {
    // Node would print the whole of pyodide, which is a single line.
    console.error(error.message);
    process.exitCode = 1;
}
