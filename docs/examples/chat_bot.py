"""A chat bot's webhook: it names a word, and says how well that was drawn.

SERVER=http://localhost:8080 uvicorn --app-dir docs/examples chat_bot:bot --port=9000
"""

import json
import os
import random
import urllib.error
import urllib.request

from fastapi import FastAPI

bot = FastAPI()


def ask(path: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(os.environ["SERVER"] + path, data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@bot.post("/webhook")
def webhook(message: dict) -> dict:
    """Keeps no state: whoever draws sends the word along with the drawing."""
    if "drawing" not in message:
        word = random.choice(ask("/v1/classes")["classes"])["word"]
        return {"text": f"Please draw: {word}", "word": word}
    try:
        sent = {"word": message.get("word"), "drawing": message["drawing"]}
        found = ask("/v1/score", sent)
    except urllib.error.HTTPError as error:
        return {"text": f"Once more, please: {json.load(error)['error']['message']}"}
    seen = found["guesses"][0]["word"]
    return {"text": f"I see: {seen}! {found['score']} of 100 points for you."}
