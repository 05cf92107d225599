"""A stand-in for a model hub: the part of its API that a download uses, with connections that break on request."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Files = Mapping[str, bytes]


class ModelHub:
    """Repositories by `owner/model`; weights are stored as the hub stores large files, with their SHA-256."""

    def __init__(self) -> None:
        self.heads: dict[str, str] = {}
        self.commits: dict[str, Files] = {}
        self.licences: dict[str, str] = {}
        # file → after how many bytes its next download breaks off
        self.cuts: dict[str, int] = {}
        # method, path and Range of every request for a file's content
        self.downloads: list[tuple[str, str | None]] = []
        self.requests = 0

    def publish(self, repository: str, files: Files, licence: str = "apache-2.0") -> str:
        """A new commit, which `main` stands for from now on."""
        told = json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
        commit = hashlib.sha1(told.encode()).hexdigest()
        self.heads[repository], self.commits[commit], self.licences[repository] = commit, files, licence
        return commit

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Its address."""
        app = web.Application(middlewares=[self._count])
        app.router.add_get("/api/models/{owner}/{model}/revision/{revision}", self._info)
        app.router.add_get("/api/models/{owner}/{model}/tree/{revision}", self._tree)
        app.router.add_get("/{owner}/{model}/resolve/{revision}/{file:.+}", self._file)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")

    @web.middleware
    async def _count(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests += 1
        response: web.StreamResponse = await handler(request)
        return response

    def _commit(self, request: web.Request) -> tuple[str, str]:
        repository = f"{request.match_info['owner']}/{request.match_info['model']}"
        if repository not in self.heads:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RepoNotFound"})
        revision = request.match_info["revision"]
        commit = self.heads[repository] if revision == "main" else revision
        if commit not in self.commits:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RevisionNotFound"})
        return repository, commit

    async def _info(self, request: web.Request) -> web.Response:
        repository, commit = self._commit(request)
        siblings = [{"rfilename": name, **_described(name, content, "sha256")} for name, content in self._files(commit)]
        card = {"license": self.licences[repository]}
        return web.json_response({"id": repository, "sha": commit, "siblings": siblings, "cardData": card})

    async def _tree(self, request: web.Request) -> web.Response:
        _, commit = self._commit(request)
        return web.json_response(
            [
                {"type": "file", "path": name, **_described(name, content, "oid")}
                for name, content in self._files(commit)
            ]
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        _, commit = self._commit(request)
        name = request.match_info["file"]
        content = self.commits[commit][name]
        start = request.http_range.start or 0
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(content))})
        self.downloads.append((name, request.headers.get("Range")))
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        response.content_length = len(content) - start
        await response.prepare(request)
        end = self.cuts.pop(name, len(content))
        await response.write(content[start:end])
        if end < len(content):
            assert request.transport is not None
            request.transport.close()
        return response

    def _files(self, commit: str) -> list[tuple[str, bytes]]:
        return list(self.commits[commit].items())


def _described(name: str, content: bytes, hash_key: str) -> dict[str, Any]:
    described: dict[str, Any] = {"size": len(content), "oid": hashlib.sha1(content).hexdigest()}
    if name.endswith(".safetensors"):
        digest = hashlib.sha256(content).hexdigest()
        described["lfs"] = {"size": len(content), hash_key: digest, "pointerSize": 134}
    return described
