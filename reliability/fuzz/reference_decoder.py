"""What a manifest says, to a reader that shares nothing with the registry: Python's JSON, and the words of the specification.

Reads requests from standard input, each a line `<bytes of the body> <Content-Type in base64, or ->` and then the body, and writes
a line of JSON for each:

- `reasons`: why two readers could understand it in two ways, or it is no manifest. None may be accepted that has one.
- `limits`: it is beyond what the registry promises to take, so that it may be refused.
- what it says: `mediaType`, `artifactType`, `subject`, `annotations`, `blobs` that must be there, `manifests`.
"""

import base64
import binascii
import json
import re
import sys

sys.setrecursionlimit(20_000)

OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MEMBERS = {
    OCI_IMAGE: ("config", "layers"),
    DOCKER_IMAGE: ("config", "layers"),
    OCI_INDEX: ("manifests",),
    DOCKER_LIST: ("manifests",),
    OCI_ARTIFACT: ("blobs",),
}
# What clients send that have not thought of a type.
GENERIC = {"", "application/json", "text/json", "text/plain", "application/octet-stream", "binary/octet-stream"}
GENERIC |= {"application/x-www-form-urlencoded", "*/*"}
# "Layers of these types SHOULD NOT be pushed": they need not be there.
ELSEWHERE = {
    *("application/vnd.oci.image.layer.nondistributable.v1.tar" + end for end in ("", "+gzip", "+zstd")),
    *("application/vnd.docker.image.rootfs.foreign.diff.tar" + end for end in ("", ".gzip")),
}
TOP = ("schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "blobs", "subject", "annotations")
DESCRIPTOR = ("mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform")
PLATFORM = ("architecture", "os", "os.version", "os.features", "variant")
NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
MEDIA_TYPE = re.compile(NAME + "/" + NAME)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
HALF = re.compile("[\ud800-\udfff]")


class Number(str):
    """As it is written: rounding is what readers do differently."""


def well_formed(text):
    return HALF.sub("\ufffd", text)


class Reader:
    def __init__(self):
        self.reasons = []
        self.limits = []
        self.parts = 0

    def no(self, reason):
        if len(self.reasons) < 20:
            self.reasons.append(reason)

    def pairs(self, pairs):
        self.parts += len(pairs)
        keys = [well_formed(key) for key, _ in pairs]
        if len(set(keys)) < len(keys):
            self.no("a key twice: " + next(key for key in keys if keys.count(key) > 1)[:50])
        if "__proto__" in keys:
            self.no("a key __proto__")
        return dict(pairs)

    def constant(self, name):
        raise ValueError(name)

    def load(self, body):
        if body.startswith(b"\xef\xbb\xbf"):
            self.no("a byte order mark")
            return None
        try:
            text = body.decode("utf-8")
            numbers = {"parse_int": Number, "parse_float": Number, "parse_constant": self.constant}
            value = json.loads(text, object_pairs_hook=self.pairs, **numbers)
        except (ValueError, RecursionError) as error:
            self.no("no JSON: " + str(error)[:80])
            return None
        if depth_of(text) > 64:
            self.no("too deep")
        if self.parts + text.count("[") + text.count("{") > 240_000:
            self.limits.append("parts")
        if not isinstance(value, dict):
            self.no("no object")
            return None
        return value

    def spelling(self, value, names):
        for key in value:
            for name in names:
                if key != name and len(key) == len(name) and key.casefold() == name.casefold():
                    self.no("a key that is " + name + " to readers that ignore case")

    def text(self, value, key):
        found = value.get(key)
        if found is not None and type(found) is not str:
            self.no(key + " is no text")
            return None
        return found

    def media_type(self, value, key):
        found = self.text(value, key)
        if found and (len(found) > 255 or not MEDIA_TYPE.fullmatch(found)):
            self.no(key + " is no media type")
        return found or None

    def texts(self, value, key):
        found = value.get(key)
        if found is None:
            return
        if not isinstance(found, list) or any(type(one) is not str for one in found):
            self.no(key + " is no list of texts")

    def annotations(self, value):
        found = value.get("annotations")
        if found is None:
            return None
        if not isinstance(found, dict):
            self.no("annotations are no map")
            return None
        if any(type(one) is not str for one in found.values()):
            self.no("an annotation is no text")
            return None
        if len(found) > 1000 or any(len(key.encode("utf-8", "replace")) > 1000 for key in found):
            self.limits.append("annotations")
        return {well_formed(key): well_formed(one) for key, one in found.items()}

    def descriptor(self, value):
        if not isinstance(value, dict):
            self.no("a descriptor is no object")
            return None
        self.spelling(value, DESCRIPTOR)
        media_type = value.get("mediaType")
        if type(media_type) is not str or len(media_type) > 255 or not MEDIA_TYPE.fullmatch(media_type):
            self.no("a descriptor without media type")
        digest = value.get("digest")
        if type(digest) is not str or not DIGEST.fullmatch(digest):
            self.no("a descriptor without digest")
            digest = None
        size = value.get("size")
        if not isinstance(size, Number) or not re.fullmatch("0|[1-9][0-9]{0,15}", size) or int(size) >= 2**53:
            self.no("a descriptor without size")
            size = None
        self.texts(value, "urls")
        self.annotations(value)
        self.media_type(value, "artifactType")
        data = self.text(value, "data")
        if data is not None and size is not None:
            try:
                if len(base64.b64decode(data, validate=True)) != int(size):
                    self.no("data of another size")
            except (binascii.Error, ValueError):
                self.no("data that is no base64")
        platform = value.get("platform")
        if platform is not None:
            self.platform(platform)
        return {"digest": digest, "mediaType": media_type if type(media_type) is str else ""}

    def platform(self, value):
        if not isinstance(value, dict):
            self.no("a platform is no object")
            return
        self.spelling(value, PLATFORM)
        for key in ("architecture", "os"):
            if type(value.get(key)) is not str:
                self.no("a platform without " + key)
        self.text(value, "os.version")
        self.text(value, "variant")
        self.texts(value, "os.features")

    def descriptors(self, value, key, required):
        if key not in value:
            if required:
                self.no(key + " is missing")
            return []
        found = value[key]
        if found is None:
            return []
        if not isinstance(found, list):
            self.no(key + " is no list")
            return []
        if len(found) > 10_000:
            self.limits.append(key)
        return [one for one in (self.descriptor(item) for item in found) if one is not None]

    def kind(self, value, content_type):
        header = content_type.split(";")[0].strip(" \t").lower()
        own = value.get("mediaType")
        if own is not None and type(own) is not str:
            self.no("mediaType is no text")
            return None
        if header not in GENERIC:
            if header not in MEMBERS:
                self.no("a Content-Type that is no manifest's")
                return None
            if own and own != header:
                self.no("another mediaType than the Content-Type")
            return header
        if own:
            if own not in MEMBERS:
                self.no("a mediaType that is no manifest's")
                return None
            return own
        if value.get("schemaVersion") == "1" or "fsLayers" in value:
            self.no("schema 1")
            return None
        if value.get("manifests") is not None:
            return OCI_INDEX
        if value.get("config") is not None or "layers" in value:
            return OCI_IMAGE
        if "manifests" in value:
            return OCI_INDEX
        self.no("nothing says what it is")
        return None

    def manifest(self, body, content_type):
        value = self.load(body)
        if value is None:
            return {}
        self.spelling(value, TOP)
        there = {key for key in ("config", "layers", "manifests", "blobs") if value.get(key) is not None}
        if "manifests" in there and there != {"manifests"}:
            self.no("manifests beside the lists of an image")
        kind = self.kind(value, content_type)
        if kind is None:
            return {}
        mine = set(MEMBERS[kind])
        # An image with `blobs` is read as an image by everybody.
        if there - mine - ({"blobs"} if kind in (OCI_IMAGE, DOCKER_IMAGE) else set()):
            self.no("lists of another kind")
        if kind != OCI_ARTIFACT:
            version = value.get("schemaVersion")
            if not isinstance(version, Number) or version != "2":
                self.no("a schemaVersion that is not 2")
        subject = None
        if value.get("subject") is not None:
            subject = self.descriptor(value["subject"])
        said = {
            "mediaType": kind,
            "artifactType": self.media_type(value, "artifactType"),
            "subject": subject and subject["digest"],
            "annotations": self.annotations(value),
            "blobs": [],
        }
        if "config" in mine:
            config = None
            if value.get("config") is None:
                self.no("config is missing")
            else:
                config = self.descriptor(value["config"])
            layers = self.descriptors(value, "layers", True)
            needed = ([config] if config else []) + layers
            said["artifactType"] = said["artifactType"] or (config and config["mediaType"])
            said["blobs"] = [one["digest"] for one in needed if one["mediaType"] not in ELSEWHERE]
        elif "blobs" in mine:
            said["blobs"] = [
                one["digest"] for one in self.descriptors(value, "blobs", False) if one["mediaType"] not in ELSEWHERE
            ]
        else:
            self.descriptors(value, "manifests", True)
        return said


BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([][{}])', re.DOTALL)


def depth_of(text):
    deepest = depth = 0
    for found in BRACKETS.finditer(text):
        bracket = found.group(1)
        if bracket is None:
            continue
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def main():
    while line := sys.stdin.buffer.readline():
        size, content_type = line.split()
        body = sys.stdin.buffer.read(int(size))
        header = "" if content_type == b"-" else base64.b64decode(content_type).decode("latin-1")
        reader = Reader()
        said = reader.manifest(body, header)
        answer = {"reasons": reader.reasons, "limits": reader.limits, **said}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
