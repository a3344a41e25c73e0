"""The tests' shop as a process under uvicorn: `uvicorn tests.asgi_project.application:application`."""
