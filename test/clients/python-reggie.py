"""The tutorial of the Python package `opencontainers` against a registry: ping, blob, 768 chunks, manifest, tags.

Usage: python-reggie.py URL relative|absolute FILE

REGGIE_USERNAME and REGGIE_PASSWORD say who asks, where a registry wants to know.

Prints `ok NAME` after each part and `done` at the end; an assertion that fails ends it with a traceback.
"""
import hashlib
import os
import sys

from opencontainers.distribution.reggie import (
    NewClient,
    WithDebug,
    WithDefaultName,
    WithName,
    WithReference,
    WithUsernamePassword,
)
from opencontainers.image.v1 import Manifest

url, mode, path = sys.argv[1:]
name = "myorg/myrepo"
manifest_type = "application/vnd.oci.image.manifest.v1+json"


def ok(part):
    print("ok %s" % part, flush=True)


def equal(actual, expected):
    assert actual == expected, "%r is not %r" % (actual, expected)


def has_location(response):
    """With a public URL every Location is absolute, and so is what Reggie makes of it; without one it is relative."""
    location = response.headers["Location"]
    equal(response.GetAbsoluteLocation(), location)
    assert location.startswith(url + "/v2/" if mode == "absolute" else "/v2/"), location
    relative = response.GetRelativeLocation()
    assert relative.startswith("/v2/"), relative


def read_in_chunks(file, chunk_size=1024):
    while chunk := file.read(chunk_size):
        yield chunk


options = [WithDefaultName(name), WithDebug(True)]
username = os.environ.get("REGGIE_USERNAME")
if username:
    options.append(WithUsernamePassword(username, os.environ["REGGIE_PASSWORD"]))

client = NewClient(url, *options)
equal(client.Config.DefaultName, name)
equal(client.Config.Debug, True)
ok("the client keeps its settings")

response = client.Do(client.NewRequest("GET", "/v2/"))
equal(response.status_code, 200)
equal(response.json(), {"success": True})
ok("ping")

with open(path, "rb") as fd:
    data = fd.read()
equal(len(data), 786432)
digest = "sha256:%s" % hashlib.sha256(data).hexdigest()

req = client.NewRequest("POST", "/v2/<name>/blobs/uploads/")
equal(req.method, "POST")
response = client.Do(req)
equal(response.status_code, 202)
has_location(response)
ok("POST opens an upload")

req = (
    client.NewRequest("PUT", response.GetRelativeLocation())
    .SetHeader("Content-Type", "application/octet-stream")
    .SetHeader("Content-Length", str(len(data)))
    .SetQueryParam("digest", digest)
    .SetBody(data)
)
response = client.Do(req)
equal(response.status_code, 201)
has_location(response)
ok("PUT closes it")

download = client.Do(client.NewRequest("GET", response.GetRelativeLocation()))
equal(download.status_code, 200)
assert download.content == data, "the bytes differ from those that were pushed"
equal(download.headers["Docker-Content-Digest"], digest)
ok("GET of its Location is the blob")

req = (
    client.NewRequest("POST", "/v2/<name>/blobs/uploads")
    .SetHeader("Content-Type", "application/octet-stream")
    .SetHeader("Content-Length", "0")
)
response = client.Do(req)
equal(response.status_code, 202)
equal(response.history, [])
has_location(response)
ok("POST without a trailing slash opens an upload")

start = 0
chunks = 0
with open(path, "rb") as fd:
    for chunk in read_in_chunks(fd):
        end = start + len(chunk) - 1
        # Every chunk goes to the Location of the POST: the ones of the PATCH responses are never looked at.
        req = (
            client.NewRequest("PATCH", response.GetRelativeLocation())
            .SetHeader("Content-Type", "application/octet-stream")
            .SetHeader("Content-Length", str(len(chunk)))
            .SetHeader("Content-Range", "%s-%s" % (start, end))
            .SetBody(chunk)
        )
        start = end + 1
        chunks += 1
        answer = client.Do(req)
        equal((chunks, answer.status_code), (chunks, 202))
equal(chunks, 768)
ok("768 chunks go to the first Location")

response = client.Do(
    client.NewRequest("PUT", response.GetRelativeLocation()).SetQueryParam("digest", digest)
)
equal(response.status_code, 201)
has_location(response)
equal(response.GetRelativeLocation().rstrip("/"), "/v2/%s/blobs/%s" % (name, digest))
download = client.Do(client.NewRequest("GET", response.GetRelativeLocation()))
equal(download.status_code, 200)
assert download.content == data, "the bytes differ from those that were pushed"
ok("PUT without a body closes the chunked upload")

manifest = {
    "schemaVersion": 2,
    "config": {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "size": len(data),
        "digest": digest,
    },
    "layers": [
        {
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "size": len(data),
            "digest": digest,
        }
    ],
}
Manifest().load(manifest)
ok("the package finds the manifest valid")

req = (
    client.NewRequest("PUT", "/v2/<name>/manifests/<reference>", WithReference("latest"))
    .SetHeader("Content-Type", manifest_type)
    .SetBody(manifest)
)
response = client.Do(req)
equal(response.status_code, 201)
has_location(response)
ok("PUT of the manifest")

req = client.NewRequest(
    "GET", "/v2/<name>/manifests/<reference>", WithReference("latest")
).SetHeader("Accept", manifest_type)
response = client.Do(req)
equal(response.status_code, 200)
equal(response.headers["Content-Type"], manifest_type)
equal(response.json(), manifest)
equal(list(response.json()), ["schemaVersion", "config", "layers"])
Manifest().load(response.json())
ok("GET of the manifest")

req = client.NewRequest("GET", "/v2/<name>/tags/list")
equal(req.url, "%s/v2/%s/tags/list" % (url, name))
response = client.Do(req)
equal(response.status_code, 200)
equal(response.json(), {"name": name, "tags": ["latest"]})
ok("the tags")

req = client.NewRequest("GET", "/v2/<name>/tags/list", WithName("vsoch/django-oci"))
equal(req.url, "%s/v2/vsoch/django-oci/tags/list" % url)
equal(req.method, "GET")
response = client.Do(req)
equal(response.status_code, 404)
equal([error["code"] for error in response.Errors()], ["NAME_UNKNOWN"])
ok("an unknown repository is NAME_UNKNOWN")

print("done", flush=True)
