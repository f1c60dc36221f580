"""The chat function over Starlette."""

from starlette.applications import Starlette
from starlette.routing import Route

from bench.apps.framework import serve

app = Starlette(routes=[Route("/v1/chat/completions", serve, methods=["POST"])])
