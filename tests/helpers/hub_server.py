# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A Hub on loopback, over real HTTP and in memory: what `huggingface_hub` asks for to push and pull repositories.

Run as a program it prints its endpoint and serves until its input ends. Files of Git LFS are served from a second
port, as the Hub serves them from another host: a client follows a redirection to the same host at once, and then
misses the headers of the first answer. Tokens are "hf_NAME": the token of the user NAME.

Besides what the Hub has there are faults: POST `/faults` with a JSON list of
`{"method", "path": regular expression, "times", "status"}` answers so many matching requests with that status, and
with `{"method", "path", "times", "cut": bytes}` closes the connection after so many bytes of the body. GET `/requests`
tells what was asked, as `[method, path, status]`.
"""

import base64
import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from huggingface_hub.repocard_data import model_index_to_eval_results

TYPES = ("model", "dataset", "space")
LFS_BYTES = 100_000  # larger files, and those of these kinds, are stored apart
LFS_KINDS = (".safetensors", ".parquet", ".png", ".gif")
# Of huggingface.co/docs/hub/repositories-licenses and huggingface.co/tasks, what is likely here.
LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "other", "unknown"}
PIPELINES = {"reinforcement-learning", "robotics", "text-generation", "image-to-text", "image-text-to-text"}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@dataclass
class Repository:
    """`commits`: their files, by id; a file is its bytes. `branches` and `tags`: ids, by name."""

    kind: str
    name: str
    owner: str
    private: bool
    sdk: str | None = None
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes], title: str) -> str:
        parts = [self.branches.get(branch, ""), title, *(f"{path} {sha256(files[path])}" for path in sorted(files))]
        commit = hashlib.sha1("\n".join(parts).encode()).hexdigest()
        self.commits[commit], self.titles[commit], self.branches[branch] = files, title, commit
        return commit

    def resolve(self, revision: str) -> str | None:
        revision = self.branches.get(revision, self.tags.get(revision, revision))
        return revision if revision in self.commits else None


class Answer(Exception):
    """What is sent instead of going on."""

    def __init__(self, status: int, body: object = None, headers: dict[str, str] | None = None):
        self.status, self.headers = status, dict(headers or {})
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""


def refusal(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": message}, {"X-Error-Code": code, "X-Error-Message": message})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_lfs(path: str, size: int) -> bool:
    return size > LFS_BYTES or path.endswith(LFS_KINDS)


class Hub:
    """All that is stored, and the answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.faults: list[dict] = []
        self.requests: list[tuple[str, str, int]] = []
        self.url = self.lfs_url = ""

    def fault(self, method: str, path: str) -> dict | None:
        with self.lock:
            for one in self.faults:
                if one["times"] > 0 and one["method"] == method and re.search(one["path"], path):
                    one["times"] -= 1
                    return one
        return None

    def repository(self, kind: str, name: str, user: str | None, writes: bool = False) -> Repository:
        found = self.repositories.get((kind, name))
        if found is None or (found.private and found.owner != user):
            if user is None:
                raise refusal(401, "RepoNotFound", "Repository not found: log in to see private repositories")
            raise refusal(404, "RepoNotFound", "Repository not found")
        if writes and user is None:
            raise Answer(401, {"error": "Invalid username or password."})
        if writes and found.owner != user:
            raise Answer(403, {"error": "You don't have the rights to write to this repository"})
        return found

    def commit_of(self, repository: Repository, revision: str) -> str:
        commit = repository.resolve(revision)
        if commit is None:
            raise refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def answer(self, method: str, target: str, user: str | None, headers, body: bytes) -> Answer:
        split = urlsplit(target)
        path, query = split.path, parse_qs(split.query)
        if path.startswith("/api/"):
            return self.api(method, path.removeprefix("/api/"), query, user, headers, body)
        kind, path = "model", path.lstrip("/")
        for other in TYPES[1:]:
            if path.startswith(f"{other}s/"):
                kind, path = other, path.removeprefix(f"{other}s/")
        if match := re.fullmatch(r"([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            return self.lfs_batch(self.repository(kind, match[1], user, writes=True), json.loads(body))
        if match := re.fullmatch(r"([^/]+/[^/]+)\.git/info/lfs/objects/verify", path):
            asked = json.loads(body)
            return Answer(200 if len(self.objects.get(asked["oid"], b"")) == asked["size"] else 404, {})
        if match := re.fullmatch(r"([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            repository = self.repository(kind, match[1], user)
            return self.file(method, repository, unquote(match[2]), unquote(match[3]))
        raise Answer(404, {"error": f"no such page: {path}"})

    def api(self, method: str, path: str, query: dict, user: str | None, headers, body: bytes) -> Answer:
        if path == "whoami-v2":
            return self.whoami(user)
        if path == "validate-yaml":
            asked = json.loads(body)
            errors = card_errors(asked["content"], asked["repoType"])
            return Answer(400 if errors else 200, {"errors": errors, "warnings": []})
        if path == "repos/create":
            return self.create(json.loads(body), user)
        match = re.fullmatch(r"(model|dataset|space)s/([^/]+/[^/]+?)(?:/(.*))?", path)
        if not match:
            raise Answer(404, {"error": f"no such endpoint: {path}"})
        kind, name, rest = match[1], match[2], match[3] or ""
        action, _, rest = rest.partition("/")
        writes = method != "GET" and action != "paths-info"
        repository = self.repository(kind, name, user, writes)
        endpoints = {
            "": lambda: self.about(repository, "main"),
            "revision": lambda: self.about(repository, unquote(rest) or "main"),
            "tree": lambda: self.tree(repository, rest, query),
            "paths-info": lambda: self.paths_info(repository, unquote(rest), body),
            "refs": lambda: self.refs(repository),
            "commits": lambda: self.commits(repository),
            "preupload": lambda: self.preupload(repository, unquote(rest), json.loads(body)["files"]),
            "commit": lambda: self.make_commit(repository, unquote(rest), body),
        }
        if method == "POST":
            for reference in ("branch", "tag"):
                endpoints[reference] = partial(self.name_commit, repository, reference, unquote(rest), body)
        if action not in endpoints:
            raise Answer(404, {"error": f"no such endpoint: {path}"})
        return endpoints[action]()

    def whoami(self, user: str | None) -> Answer:
        if user is None:
            raise Answer(401, {"error": "Invalid username or password."})
        token = {"accessToken": {"role": "write", "displayName": "test"}}
        return Answer(200, {"type": "user", "name": user, "fullname": user, "orgs": [], "auth": token})

    def refs(self, repository: Repository) -> Answer:
        both = ((repository.branches, "heads"), (repository.tags, "tags"))
        branches, tags = (
            [{"name": n, "ref": f"refs/{r}/{n}", "targetCommit": c} for n, c in w.items()] for w, r in both
        )
        return Answer(200, {"branches": branches, "tags": tags, "converts": []})

    def commits(self, repository: Repository) -> Answer:
        commits = [
            {"id": commit, "title": title, "message": "", "authors": [{"user": repository.owner}], "date": DATE}
            for commit, title in reversed(repository.titles.items())
        ]
        return Answer(200, commits)

    def preupload(self, repository: Repository, revision: str, asked: list[dict]) -> Answer:
        self.commit_of(repository, revision)
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if is_lfs(one["path"], one["size"]) else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for one in asked
        ]
        return Answer(200, {"files": files})

    def create(self, asked: dict, user: str | None) -> Answer:
        if user is None:
            raise Answer(401, {"error": "Invalid username or password."})
        kind, owner = asked.get("type") or "model", asked.get("organization") or user
        if owner != user:
            raise Answer(403, {"error": f"You don't have the rights to create a {kind} under the namespace {owner!r}"})
        name = f"{owner}/{asked['name']}"
        url = f"{self.url}/{'' if kind == 'model' else kind + 's/'}{name}"
        if (kind, name) in self.repositories:
            raise Answer(409, {"error": f"You already created this {kind} repo", "url": url})
        private = asked.get("visibility") == "private" or asked.get("private") is True
        new = self.repositories[kind, name] = Repository(kind, name, owner, private, asked.get("sdk"))
        new.commit("main", {".gitattributes": b""}, "initial commit")
        return Answer(200, {"url": url, "name": name, "id": name})

    def about(self, repository: Repository, revision: str) -> Answer:
        commit = self.commit_of(repository, revision)
        siblings = [{"rfilename": path} for path in sorted(repository.commits[commit])]
        about = {"id": repository.name, "sha": commit, "private": repository.private, "siblings": siblings}
        about |= {"author": repository.owner, "tags": [], "downloads": 0, "likes": 0, "lastModified": DATE}
        if repository.kind == "space":
            about["sdk"] = repository.sdk
        return Answer(200, about)

    def tree(self, repository: Repository, place: str, query: dict) -> Answer:
        revision, folder = (unquote(part) for part in place.partition("/")[::2])
        files = repository.commits[self.commit_of(repository, revision)]
        prefix = f"{folder}/" if folder else ""
        inside = sorted(path for path in files if path.startswith(prefix))
        if folder and not inside:
            raise refusal(404, "EntryNotFound", f"{folder} does not exist on {revision!r}")
        recursive = query.get("recursive", ["false"])[0].lower() == "true"
        entries, folders = [], set()
        for path in inside:
            below = path.removeprefix(prefix)
            parents = ["/".join(below.split("/")[:n]) for n in range(1, below.count("/") + 1)]
            folders.update(prefix + parent for parent in (parents if recursive else parents[:1]))
            if recursive or "/" not in below:
                entries.append(entry(path, files[path]))
        entries += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in sorted(folders)]
        return Answer(200, entries)

    def paths_info(self, repository: Repository, revision: str, body: bytes) -> Answer:
        paths = (parse_qs(body.decode()) if b"=" in body[:20] else json.loads(body))["paths"]
        files = repository.commits[self.commit_of(repository, revision)]
        entries = []
        for path in [paths] if isinstance(paths, str) else paths:
            if path in files:
                entries.append(entry(path, files[path]))
            elif any(other.startswith(f"{path}/") for other in files):
                entries.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": path})
        return Answer(200, entries)

    def name_commit(self, repository: Repository, action: str, name: str, body: bytes) -> Answer:
        asked = json.loads(body or b"{}")
        if action == "tag":
            revision, names, name = name, repository.tags, asked["tag"]
        else:
            revision, names = asked.get("startingPoint") or "main", repository.branches
        if name in names:
            raise Answer(409, {"error": f"Reference already exists: {name}"})
        names[name] = self.commit_of(repository, revision)
        return Answer(200, {})

    def lfs_batch(self, repository: Repository, asked: dict) -> Answer:
        objects = []
        for one in asked["objects"]:
            about = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.objects:
                verify = f"{self.url}/{repository.name}.git/info/lfs/objects/verify"
                about["actions"] = {
                    "upload": {"href": f"{self.lfs_url}/{one['oid']}", "header": {}},
                    "verify": {"href": verify, "header": {}},
                }
            objects.append(about)
        return Answer(200, {"transfer": "basic", "objects": objects})

    def make_commit(self, repository: Repository, branch: str, body: bytes) -> Answer:
        if branch not in repository.branches:
            raise refusal(404, "RevisionNotFound", f"Invalid rev id: {branch}")
        files, title = dict(repository.commits[repository.branches[branch]]), ""
        for line in body.decode().splitlines():
            operation = json.loads(line)
            kind, value = operation["key"], operation["value"]
            if kind == "header":
                title = value["summary"]
            elif kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                if value["oid"] not in self.objects:
                    raise Answer(400, {"error": f"LFS object {value['oid']} was not uploaded"})
                files[value["path"]] = self.objects[value["oid"]]
            elif kind == "deletedFile":
                files.pop(value["path"])
            elif kind == "deletedFolder":
                files = {path: data for path, data in files.items() if not path.startswith(value["path"])}
        commit = repository.commit(branch, files, title)
        prefix = "" if repository.kind == "model" else f"{repository.kind}s/"
        url = f"{self.url}/{prefix}{repository.name}/commit/{commit}"
        return Answer(200, {"success": True, "commitOid": commit, "commitUrl": url})

    def file(self, method: str, repository: Repository, revision: str, path: str) -> Answer:
        commit = self.commit_of(repository, revision)
        if path not in repository.commits[commit]:
            raise refusal(404, "EntryNotFound", f"Entry not found: {path}")
        data = repository.commits[commit][path]
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if is_lfs(path, len(data)):
            etag = sha256(data)
            self.objects[etag] = data
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(data)), "ETag": f'"{etag}"'}
            return Answer(302, b"", headers | {"Location": f"{self.lfs_url}/{etag}"})
        return Answer(200, data, headers | {"ETag": f'"{blob_id(data)}"'})


DATE = "2026-01-01T00:00:00.000Z"


def entry(path: str, data: bytes) -> dict:
    about = {"type": "file", "oid": blob_id(data), "size": len(data), "path": path}
    if is_lfs(path, len(data)):
        about["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 130}
    return about


def card_errors(content: str, kind: str) -> list[dict]:
    """What the Hub says of a card's metadata: those of its rules that a card of ours could break."""
    match = re.match(r"\s*---[ \t]*\n(.*?)\n---", content, re.DOTALL)
    try:
        data = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        return [{"message": f"YAML: {error}"}]
    of_kind = {"model": model_errors, "dataset": dataset_errors, "space": space_errors}[kind]
    return [{"message": message} for message in (*common_errors(data), *of_kind(data))]


def common_errors(data: dict) -> Iterator[str]:
    if data.get("license", "unknown") not in LICENCES:
        yield f'"license" must be one of {sorted(LICENCES)}'
    if data.get("license") == "other" and not data.get("license_name"):
        yield '"license_name" is required where "license" is "other"'
    if not all(isinstance(tag, str) for tag in data.get("tags", [])):
        yield '"tags" must be an array of strings'


def model_errors(data: dict) -> Iterator[str]:
    if data.get("pipeline_tag", "robotics") not in PIPELINES:
        yield f'"pipeline_tag" must be one of {sorted(PIPELINES)}'
    is_whole = True
    for one in data.get("model-index", []):
        if not one.get("name"):
            is_whole = False
            yield '"model-index[0].name" is required'
        for result in one.get("results", []):
            if not {"task", "dataset", "metrics"} <= set(result):
                is_whole = False
                yield '"model-index[0].results[0]" needs "task", "dataset" and "metrics"'
            elif not {"type", "name"} <= set(result["dataset"]) or "type" not in result["task"]:
                is_whole = False
                yield '"model-index[0].results[0].dataset" needs "type" and "name"'
    if "model-index" in data and is_whole:
        model_index_to_eval_results(data["model-index"])


def dataset_errors(data: dict) -> Iterator[str]:
    for one in data.get("configs", []):
        if not one.get("config_name") or re.search(r"[<>:/\\|?*]", one["config_name"]):
            yield f'"configs.config_name" is not valid: {one.get("config_name")!r}'


def space_errors(data: dict) -> Iterator[str]:
    if data.get("sdk") not in ("gradio", "docker", "static"):
        yield '"sdk" must be one of gradio, docker, static'
    for name in ("colorFrom", "colorTo"):
        if data.get(name, "red") not in COLOURS:
            yield f'"{name}" must be one of {sorted(COLOURS)}'
    if len(data.get("short_description", "")) > 60:
        yield '"short_description" must be at most 60 characters long'


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        fault = self.hub.fault(self.command, self.path)
        if fault and "cut" in fault:
            self.rfile.read(min(length, fault["cut"]))
            self.hub.requests.append((self.command, self.path, 0))
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(length) if length else self.chunks()
        if fault:
            answer = Answer(fault["status"], {"error": "a fault that was asked for"})
        else:
            try:
                answer = self.answer(body)
            except Answer as raised:
                answer = raised
        self.hub.requests.append((self.command, self.path, answer.status))
        self.send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def chunks(self) -> bytes:
        data = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        return data

    def answer(self, body: bytes) -> Answer:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.path == "/faults":
            self.hub.faults = json.loads(body)
            return Answer(200, {})
        if self.path == "/requests":
            return Answer(200, self.hub.requests)
        if token and not token.startswith("hf_"):
            raise Answer(401, {"error": "Invalid credentials in Authorization header"})
        with self.hub.lock:
            return self.hub.answer(self.command, self.path, token.removeprefix("hf_") or None, self.headers, body)

    def send(self, answer: Answer) -> None:
        data, status = answer.body, answer.status
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and status == 200:
            first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
            answer.headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        self.send_response(status)
        answer.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def date_time_string(self, timestamp=None):
        return formatdate(0, usegmt=True)

    def log_message(self, *arguments):
        pass


class LfsHandler(Handler):
    """Uploads and downloads of large files, by their SHA-256."""

    def answer(self, body: bytes) -> Answer:
        oid = self.path.lstrip("/")
        if self.command == "PUT":
            if sha256(body) != oid:
                raise Answer(400, {"error": "the content is not what its SHA-256 says"})
            self.hub.objects[oid] = body
            return Answer(200, {})
        if oid not in self.hub.objects:
            raise Answer(404, {"error": "no such object"})
        return Answer(200, self.hub.objects[oid], {"ETag": f'"{oid}"', "Content-Type": "application/octet-stream"})


def main():
    hub = Hub()
    servers = []
    for base in (Handler, LfsHandler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type(base.__name__, (base,), {"hub": hub}))
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url, hub.lfs_url = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    print(hub.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
