"""The vendor's protocol: values, requests, outcomes and reasons. Pure functions: no model, no query, no network.

Input: plain values and stored texts. Output: URLs ready to be requested, and the meaning of an answer. Every fact about
the vendor's endpoint is in this package.
"""
