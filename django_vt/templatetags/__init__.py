"""The template tags of `{% load vt %}`."""
