"""The chat function over FastAPI, without a model of the body, which would cost more."""

from fastapi import FastAPI

from bench.apps.framework import serve

app = FastAPI(openapi_url=None)
app.post("/v1/chat/completions")(serve)
