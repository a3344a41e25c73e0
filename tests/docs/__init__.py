"""README.md and docs/ against the code: what they show runs, what they list is there, what they promise is tested."""
