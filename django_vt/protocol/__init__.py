"""The vendor's language: values, requests, outcomes and reasons. Pure: no model, no query, no network.

In come plain values and stored texts. Out go addresses ready to be sent, and what an answer means. Every fact about the
vendor's endpoint is in this package.
"""
