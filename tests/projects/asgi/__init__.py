"""The tests' shop as a process under uvicorn: `uvicorn tests.projects.asgi.application:application`."""
