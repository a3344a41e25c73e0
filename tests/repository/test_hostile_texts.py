"""No text that a shopper can write keeps a page or an order waiting: all that reads it takes time as its length has it.

Every regular expression of the package is found by itself, and run as the package runs it, on texts of a million
characters made of what it looks for. One that goes back over what it has read, from each place anew, would not come to
its end within the hour: the test is stopped long before. No time is compared, and that of other processes not counted.
"""

from __future__ import annotations

import ast
import functools
import importlib
import itertools
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError

from django_vt.admin import privacy
from django_vt.contrib import sentry
from django_vt.events import Event, address_in, addresses_in, payload
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.operations.mentions import Mentions
from django_vt.operations.shopper import Shopper
from django_vt.protocol import addresses, payloads, reasons, values
from django_vt.recording import storing

if sys.version_info >= (3, 11):
    from re import _parser as sre_parse
else:
    import sre_parse

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing to stop it with"),
    pytest.mark.unmeasured,
]

PACKAGE = Path(__file__).parents[2] / "django_vt"
MILLION, SHORTER = 1_000_000, 100_000
STOPPED_AFTER = 60  # seconds
METHODS = {"match", "fullmatch", "search", "sub", "findall", "finditer", "split"}


class Stopped(BaseException):
    """It would take for ever."""


@pytest.fixture(autouse=True)
def _is_stopped_at_last() -> Iterator[None]:
    def stop(*_signal: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, STOPPED_AFTER)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What is called of what, by name: `("re", "compile")`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            named = each.func.value
            yield getattr(named, "id", getattr(named, "attr", "")), each.func.attr


@functools.cache
def constants() -> dict[str, tuple[re.Pattern[str], set[str]]]:
    """The patterns that modules keep, each with the methods that are called of it anywhere."""
    used: dict[str, set[str]] = {}
    for owner, method in itertools.chain.from_iterable(calls(tree(path)) for path in modules()):
        used.setdefault(owner, set()).add(method)
    found = {}
    for path in modules():
        kept = [each for each in tree(path).body if isinstance(each, ast.Assign) and ("re", "compile") in calls(each)]
        for assignment in kept:
            module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
            for target in assignment.targets:
                assert isinstance(target, ast.Name)
                # What is handed to a function is matched whole there, as `identity._require` does.
                methods = used.get(target.id, set()) & METHODS or {"fullmatch"}
                found[f"{path.relative_to(PACKAGE)}: {target.id}"] = (getattr(module, target.id), methods)
    return found


@functools.cache
def functions_with_patterns() -> set[str]:
    """Those that make a pattern as they go: `contrib/sentry.py: _without_query`."""
    return {
        f"{path.relative_to(PACKAGE)}: {function.name}"
        for path in modules()
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(owner == "re" and called != "escape" for owner, called in calls(function))
    }


def letters(pattern: re.Pattern[str]) -> list[str]:
    """Some of what it looks for: its literals, and a member or two of each of its classes."""
    found: dict[str, None] = {}
    left = [list(sre_parse.parse(pattern.pattern, pattern.flags))]
    while left:
        for operation, argument in left.pop():
            if str(operation) in {"LITERAL", "NOT_LITERAL"}:
                found[chr(argument)] = None
            elif str(operation) == "RANGE":
                found[chr(argument[0])] = None
            elif str(operation) in {"CATEGORY", "ANY"}:
                found |= {"a": None, " ": None, "1": None}
            left += [list(each) for each in _within(argument)]
    return [*[*found][:4], "a", "\0"]


def _within(argument: object) -> Iterator[list[object]]:
    if isinstance(argument, sre_parse.SubPattern):
        yield list(argument)
    elif isinstance(argument, (list, tuple)):
        if argument and all(isinstance(each, tuple) and len(each) == 2 for each in argument):
            yield list(argument)
        else:
            for each in argument:
                yield from _within(each)


def literals(pattern: re.Pattern[str]) -> str:
    return "".join(re.findall(r"[\w/@:%. -]+", re.sub(r"\\.|\[.*?\]|\{.*?\}|\(\?.", "", pattern.pattern)))


def hostile(pattern: re.Pattern[str], length: int = MILLION) -> Iterator[str]:
    some = letters(pattern)
    for each in filter(None, [*some, literals(pattern)]):
        whole = each * (length // len(each))
        yield from (whole + "\0", f"{literals(pattern)}{whole}")
    for one, other in itertools.permutations(some, 2):
        yield (one + other) * (SHORTER // 2) + "\0"


def run(pattern: re.Pattern[str], method: str, text: str) -> None:
    if method == "sub":
        pattern.sub("", text)
    elif method == "finditer":
        list(pattern.finditer(text))
    else:
        getattr(pattern, method)(text)


@pytest.mark.parametrize("name", constants())
def test_every_pattern_comes_to_its_end_on_a_hostile_million(name):
    pattern, methods = constants()[name]
    for text in hostile(pattern):
        for method in sorted(methods):
            run(pattern, method, text)


def entry(**columns):
    return SendLogEntry(event_type="wishlist", identity="pixel:813961802711_253412802711", **columns)


def unholdable(text):
    error = OperationalError(1366, text)
    assert storing._unholdable({"reference": "ş", "identity": ""}, error)


def shown(text):
    masked = privacy.Viewer(sees_people=False)
    body = payload(Event("wishlist", {"productId": text[:50_000]}), Identity())
    told = entry(reference=text, payload=body, email_hash="a" * 64)
    masked.reference(told)
    payloads.indented(masked.payload(told))
    masked.identity(SendLogEntry(identity=f"email:{text}"))


def told_by(text):
    mentions = Mentions("o'neill.ana@example.com")
    mentions.are_in(text)
    mentions.are_in_payload(f'{{"note":"{text.encode("unicode_escape").decode()}')
    Shopper("default", address="ana@example.com").is_told_by(text[:255], "pixel:1_2")


def refused(function, *given):
    try:
        function(*given)
    except ValueError:
        return


# Those that make their patterns themselves, and all others that read what a shopper wrote.
READERS = {
    "admin/privacy.py: mask_hashes": shown,
    "contrib/sentry.py: _without_query": sentry._without_query,
    "operations/mentions.py: __init__": told_by,
    "operations/shopper.py: is_told_by": told_by,
    "a database's text": unholdable,
    "addresses within": lambda text: list(addresses.within({text: [text]})),
    "addresses of an event": lambda text: (address_in(Event("x", {"a": text})), addresses_in(Event("x", {"a": text}))),
    "bare": addresses.bare,
    "canonical": addresses.canonical,
    "hash": addresses.hash_of_address,
    "is it an address": addresses.is_address,
    "an address that is given": lambda text: refused(values.email, "email", text),
    "an id that is given": lambda text: refused(values.identifier, "id", text),
    "showable": values.showable,
    "cookies": lambda text: Identity.from_cookies({"_vt_user": text, "_vtsid": text}),
    "a stored identity": lambda text: refused(Identity.from_stored_form, f"pixel:{text}"),
    "a reason": reasons.describe,
    "no JSON": payloads.indented,
}
TEXTS = [
    "a", "@", "a@", "a@b.example ", "<a@", "a@b>,", "%40", "%2540", "\uff20", "ş@", "\u0301", " @ ", "o'", "a.", "1_",
    "https://app.vtcdn.net/event", "django_vt/sendlogentry", "[", "\\", "\\u0040", "for column a at row 1", "mailto:",
]  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_whatever_reads_what_a_shopper_wrote_comes_to_its_end(name):
    for text in TEXTS:
        READERS[name](text * (SHORTER // len(text)))


def test_every_function_that_makes_a_pattern_is_read_with_hostile_texts():
    assert functions_with_patterns() <= set(READERS)


def test_the_search_finds_patterns_and_how_they_are_run():
    assert constants()["protocol/addresses.py: DOMAIN"][1] == {"match"}
    assert len(constants()) > 25


BAD = [r"[^@\s]+@[^@\s]+", r"for column .*?(\w+)`? at row \d+\W*\Z", r"(a+)+$", r"\w+(\.\w+)+"]


def search_all(pattern):
    for text in hostile(pattern, SHORTER):
        pattern.search(text)


@pytest.mark.parametrize("bad", BAD)
def test_a_pattern_that_goes_back_over_what_it_has_read_is_stopped(bad):
    """Else the tests above would find nothing."""
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.3)  # one that does not go back is through in a hundredth of that
    with pytest.raises(Stopped):
        search_all(re.compile(bad))
