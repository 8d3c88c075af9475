"""A chat bot's webhook: it asks for a drawing and says how well it was drawn.

SERVER=http://localhost:8080 uvicorn --app-dir docs/examples chat_bot:bot --port=9000
"""

import json
import os
import random
import urllib.error
import urllib.request

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

MIN_TOP1 = 0.8
"""The bot asks only for words that the model recognizes this often."""


def call_server(path: str, body: dict | None = None) -> dict:
    """Sends a request to the server and returns its response."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(os.environ["SERVER"] + path, data, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def reply(message: dict) -> dict:
    """Answers a message; the sender repeats the word, so the bot keeps no state."""
    try:
        if "drawing" not in message:
            classes = call_server("/v1/classes")["classes"]
            known = [each for each in classes if (each["top1"] or 0) >= MIN_TOP1]
            word = random.choice(known or classes)["word"]
            return {"text": f"Please draw: {word}", "word": word}
        request = {"word": message.get("word"), "drawing": message["drawing"]}
        result = call_server("/v1/score", request)
    except urllib.error.HTTPError as error:
        if error.code in (429, 500, 503):
            return {"text": "I am very busy right now. Please try again soon!"}
        return {"text": "I could not read that drawing. Please draw it once more!"}
    except (OSError, ValueError):
        return {"text": "I am asleep right now. Please try again in a minute!"}
    guess = result["guesses"][0]["word"]
    return {"text": f"I see: {guess}! {result['score']} of 100 points for you."}


async def webhook(request: Request) -> JSONResponse:
    """Receives a message from the chat."""
    try:
        message = await request.json()
    except ValueError:
        message = None
    if not isinstance(message, dict):
        return JSONResponse({"text": "Send a JSON object."}, 400)
    return JSONResponse(await run_in_threadpool(reply, message))


bot = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
