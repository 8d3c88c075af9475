"""The OpenAPI document and the page `/docs`, made from the operations of the routes."""

import dataclasses
import http
import json
import re
import shlex
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serve_export.api import tf_serving
from serve_export.api.errors import TF_SERVING_PREFIX
from serve_export.api.schemas import ErrorResponse

TITLE = "quickdraw-rnn"
DESCRIPTION = "Classifies hand-drawn sketches."
BODY_ERRORS = (400, 408, 413, 415, 422, 503)
"""Errors of every request with a body."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclasses.dataclass(frozen=True)
class Operation:
    """A method of a path: its handler and its documentation.

    Attributes:
      method: HTTP method.
      path: path pattern.
      handler: answers it.
      summary: what it does.
      tag: heading in the documentation.
      request: type of the body, if it has one.
      response: type of the response, or a tuple of alternatives; None for a response
        without JSON.
      media_types: content types of a response that is not JSON.
      status: of a successful response.
      errors: further statuses that it may answer.
      parameters: of path, query and header, as OpenAPI has them.
      example: a body, or a path without parameters, to try.
      example_response: what the example is answered; lists are shortened.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    request: Any = None
    response: Any = None
    media_types: Sequence[str] = ()
    status: int = 200
    errors: Sequence[int] = ()
    parameters: Sequence[Mapping[str, Any]] = ()
    example: Any = None
    example_response: Any = None

    def make_route(self) -> Route:
        """Returns the route of this operation."""

        async def endpoint(request: Request) -> Response:
            request.scope["path_pattern"] = self.path  # for the metrics
            return await self.handler(request)

        return Route(self.path, endpoint, methods=[self.method])

    @property
    def responses(self) -> tuple[Any, ...]:
        """The types of a successful response with JSON."""
        if isinstance(self.response, tuple):
            return self.response
        return () if self.response is None else (self.response,)

    @property
    def example_path(self) -> str:
        """The path with the examples of its required parameters."""
        path, query = self.path, {}
        for parameter in self.parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                example = urllib.parse.quote(parameter["example"])
                path = path.replace(f"{{{name}}}", example)
            elif parameter["in"] == "query" and parameter.get("required"):
                query[name] = parameter["example"]
        return f"{path}?{urllib.parse.urlencode(query)}" if query else path

    @property
    def example_command(self) -> str:
        """A curl command that sends the example."""
        words = ["curl", f"http://localhost:8080{self.example_path}"]
        if self.method not in ("GET", "POST"):
            words += ["--request", self.method]
        for parameter in self.parameters:
            if parameter["in"] == "header":
                words += ["--header", f"{parameter['name']}: {parameter['example']}"]
        if self.example is not None:
            if not self.path.startswith(TF_SERVING_PREFIX):
                words += ["--header", "content-type: application/json"]
            words += ["--data", json.dumps(self.example)]
        return shlex.join(words).replace(" --", " \\\n  --")

    @property
    def example_response_text(self) -> str:
        """The response to the example, as the page shows it."""
        if isinstance(self.example_response, str):
            return self.example_response
        return json.dumps(self.example_response, ensure_ascii=False)


def make_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Returns the OpenAPI document.

    Source: https://spec.openapis.org/oas/v3.1.0
    """
    types: list[Any] = [ErrorResponse, tf_serving.ErrorBody]
    for operation in operations:
        types += [t for t in (operation.request, *operation.responses) if t is not None]
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    references = dict(zip(types, schemas))
    paths: dict[str, Any] = {}
    for operation in operations:
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = _describe_operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "description": DESCRIPTION, "version": "1"},
        "paths": paths,
        "components": {"schemas": components},
    }


def _describe_operation(
    operation: Operation, references: Mapping[Any, Any]
) -> dict[str, Any]:
    success: dict[str, Any] = {"description": http.HTTPStatus(operation.status).phrase}
    if alternatives := [references[t] for t in operation.responses]:
        schema = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
        success["content"] = {"application/json": {"schema": schema}}
    for media_type in operation.media_types:
        content = success.setdefault("content", {})
        content[media_type] = {"schema": {"type": "string"}}
    is_tf_serving = operation.path.startswith(TF_SERVING_PREFIX)
    error_type: Any = tf_serving.ErrorBody if is_tf_serving else ErrorResponse
    errors = {429, *operation.errors}
    if operation.request is not None:
        errors |= set(BODY_ERRORS)
    responses = {str(operation.status): success} | {
        str(status): {
            "description": http.HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": references[error_type]}},
        }
        for status in sorted(errors)
    }
    described: dict[str, Any] = {
        "summary": operation.summary,
        "tags": [operation.tag],
        "operationId": re.sub(r"\W+", "_", f"{operation.method} {operation.path}"),
        "responses": responses,
    }
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.request is not None:
        media: dict[str, Any] = {"schema": references[operation.request]}
        if operation.example is not None:
            media["example"] = operation.example
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": media},
        }
    return described


def render_page(operations: Sequence[Operation], document: Mapping[str, Any]) -> str:
    """Returns the documentation as HTML that needs no other file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("docs.html.jinja")
    sections = [
        {
            "operation": operation,
            "responses": _list_responses(operation, document),
            "request": _list_request(operation, document),
        }
        for operation in operations
    ]
    return template.render(title=TITLE, description=DESCRIPTION, sections=sections)


def _list_responses(
    operation: Operation, document: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Returns status and schema of each response, as text."""
    described = document["paths"][operation.path][operation.method.lower()]
    rows = []
    for status, response in described["responses"].items():
        content = response.get("content", {}).get("application/json")
        schema = _format_schema(document, content["schema"]) if content else ""
        rows.append((f"{status} {response['description']}", schema))
    return rows


def _list_request(operation: Operation, document: Mapping[str, Any]) -> str:
    """Returns the schema of the body as text; empty if there is none."""
    described = document["paths"][operation.path][operation.method.lower()]
    body = described.get("requestBody")
    if body is None:
        return ""
    return _format_schema(document, body["content"]["application/json"]["schema"])


def _format_schema(document: Mapping[str, Any], schema: Any) -> str:
    resolved = _resolve_references(document, schema)
    return json.dumps(resolved, indent=1, ensure_ascii=False)


def _resolve_references(document: Mapping[str, Any], schema: Any) -> Any:
    if isinstance(schema, list):
        return [_resolve_references(document, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolve_references(document, document["components"]["schemas"][name])
    return {key: _resolve_references(document, value) for key, value in schema.items()}
