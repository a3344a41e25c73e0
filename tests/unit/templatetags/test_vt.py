"""`{% vt_identify %}` holds no visitor's id, and the page's nonce where it has one. tests/browser runs it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.template import Context, RequestContext, Template
from django.utils.functional import SimpleLazyObject

from tests.support.ordering import request_with


class LazyNonce(SimpleLazyObject):
    """As Django's and django-csp's: false until it is written out, and counted on from then."""

    def __init__(self):
        self.__dict__["is_made"] = False
        super().__init__(self._make)

    def _make(self):
        self.__dict__["is_made"] = True
        return "bm9uY2U+/w=="

    def __bool__(self):
        return self.__dict__["is_made"]


def render(request=None, source="{% load vt %}{% vt_identify %}", **variables):
    request = request or request_with()
    return Template(source).render(RequestContext(request, variables))


def test_it_never_holds_the_id_and_is_the_same_for_everybody():
    page = render(request_with(_vtsid="site-1"))
    assert "site-1" not in page
    assert page == render(request_with())
    assert page.startswith("<script>")
    assert "window._vteq" in page


@pytest.mark.parametrize("attribute", ["csp_nonce", "_csp_nonce"])
def test_it_carries_the_requests_nonce_though_nobody_has_asked_for_it_yet(attribute):
    request = request_with()
    setattr(request, attribute, LazyNonce())
    assert '<script nonce="bm9uY2U+/w==">' in render(request)


def test_it_carries_the_contexts_nonce():
    assert '<script nonce="abc">' in render(csp_nonce="abc")


def test_a_context_without_its_request_is_asked_for_one():
    template = Template("{% load vt %}{% vt_identify %}")
    request = SimpleNamespace(csp_nonce="abc")
    assert '<script nonce="abc">' in template.render(Context({"request": request}))
    assert "<script>" in template.render(Context())


def test_a_nonce_cannot_end_the_attribute():
    assert '"><' not in render(csp_nonce='"><script>')


def test_the_event_can_be_named():
    assert '{"viewhome": {"_vtsid": found[1]}}' in render(source="{% load vt %}{% vt_identify 'viewhome' %}")
    assert '{"identify": {"_vtsid": found[1]}}' in render()


def test_a_name_that_is_no_event_type_is_refused():
    with pytest.raises(ValueError, match="event_type"):
        render(source="{% load vt %}{% vt_identify '\"};alert(1);//' %}")


def test_nothing_is_rendered_where_the_app_is_off(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    assert render().strip() == ""
