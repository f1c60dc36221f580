"""FastAPI and Mangum, and no work at all."""

from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.post("/v1/chat/completions")
async def answer() -> dict[str, str]:
    """Answer."""
    return {"hello": "world"}


handler = Mangum(app, lifespan="off")
