"""The OpenAPI document as a page that needs nothing from elsewhere."""

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
section{border-top:1px solid #8888;padding:.5rem 0}
h2{font:600 1rem/1.5 ui-monospace,monospace}
pre{overflow:auto;padding:.6rem;background:#8882;border-radius:.3rem}
"""


def page(document: Mapping[str, Any]) -> str:
    """Makes the page: a section for each request, its schema and its answers."""
    title = html.escape(document["info"]["title"])
    sections = "\n".join(
        _section(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1>"
        f'<p>The same for programs: <a href="openapi.json">openapi.json</a></p>'
        f"\n{sections}\n</html>\n"
    )


def _section(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> str:
    lines = [f"<section><h2>{method.upper()} {html.escape(path)}</h2>"]
    lines.append(f"<p>{html.escape(operation.get('description', ''))}</p>")
    for parameter in operation.get("parameters", []):
        text = f"{parameter['name']} ({parameter['in']})"
        lines.append(f"<p>{html.escape(text)}</p>")
    for name, content in _contents(operation):
        schema = _resolve(document, content.get("schema", {}))
        text = json.dumps(schema, indent=1, ensure_ascii=False)
        lines.append(f"<details><summary>{html.escape(name)}</summary>")
        lines.append(f"<pre>{html.escape(text)}</pre></details>")
    return "\n".join([*lines, "</section>"])


def _contents(operation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The body and each answer: a name, and what OpenAPI says of it."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield "body", content
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            yield f"{status} {answer.get('description', '')}", content


def _resolve(document: Mapping[str, Any], schema: Any) -> Any:
    """Puts the schemas in that others only name."""
    if isinstance(schema, list):
        return [_resolve(document, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolve(document, document["components"]["schemas"][name])
    return {key: _resolve(document, value) for key, value in schema.items()}
