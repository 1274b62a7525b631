"""Downloads: whole or not at all, and going on where they were cut."""

import dataclasses
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from benchmark.core.errors import InputError
from benchmark.methods import WeightsFile, fetching

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves one content; `sends` cuts a transfer, `ranges` says whether it starts anywhere."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.sends = CONTENT, True, len(CONTENT)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/net.pth"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers["Range"]
        server.asked.append(wanted)
        start = int(wanted[len("bytes=") : -1]) if wanted and server.ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        rest = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            last = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.content)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: server.sends])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def file(server):
    digest = hashlib.sha256(CONTENT).hexdigest()
    return WeightsFile("some/net.pth", len(CONTENT), digest, "its authors", server.url)


def left(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def cut(server, file, folder, sends=100_000):
    server.sends = sends
    with pytest.raises(InputError, match=f"cut after {sends} of 256000 bytes .*goes on from there"):
        fetching.fetch(file, folder)
    server.sends = len(CONTENT)


def test_a_file_arrives_whole_and_alone(file, tmp_path):
    assert fetching.fetch(file, tmp_path) == tmp_path / "some" / "net.pth"
    assert (tmp_path / "some" / "net.pth").read_bytes() == CONTENT
    assert left(tmp_path) == ["net.pth"]


def test_a_cut_transfer_leaves_no_target_and_goes_on_where_it_was(server, file, tmp_path):
    cut(server, file, tmp_path)
    assert left(tmp_path) == [".net.pth.partial"]
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-"]
    assert left(tmp_path) == ["net.pth"]


def test_a_transfer_may_be_cut_twice(server, file, tmp_path):
    cut(server, file, tmp_path, 100_000)
    server.sends = 100_000
    with pytest.raises(InputError, match="cut after 200000 of 256000"):
        fetching.fetch(file, tmp_path)
    server.sends = len(CONTENT)
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=200000-"


def test_a_server_without_ranges_sends_the_file_again(server, file, tmp_path):
    cut(server, file, tmp_path)
    server.ranges = False
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=100000-"


def test_a_transfer_that_was_complete_is_not_asked_for_again(server, file, tmp_path):
    leftover(tmp_path, CONTENT)
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked == []


def leftover(folder, content):
    (folder / "some").mkdir()
    (folder / "some" / ".net.pth.partial").write_bytes(content)


def test_a_partial_file_of_something_else_is_refused_and_the_next_try_is_new(file, tmp_path):
    leftover(tmp_path, b"x" * 10)
    with pytest.raises(InputError, match="another SHA-256"):
        fetching.fetch(file, tmp_path)
    assert left(tmp_path) == []
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT


def test_a_partial_file_larger_than_the_file_is_thrown_away(server, file, tmp_path):
    leftover(tmp_path, b"x" * 300_000)
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None]


def test_a_partial_file_longer_than_the_servers_starts_anew(server, file, tmp_path):
    cut(server, file, tmp_path)
    server.content = CONTENT[:50_000]
    with pytest.raises(InputError, match="cut after 50000 of 256000"):
        fetching.fetch(file, tmp_path)
    assert server.asked[1:] == ["bytes=100000-", None]


@pytest.mark.parametrize(
    ("content", "came"),
    [
        (CONTENT[::-1], "256000 bytes of another SHA-256"),
        (CONTENT * 3, "more than 256000 bytes"),
    ],
)
def test_wrong_content_is_refused_and_nothing_is_left(server, file, tmp_path, content, came):
    server.content, server.sends = content, len(content)
    with pytest.raises(InputError, match=f"gave {came}, expected 256000 .*get the file from its"):
        fetching.fetch(file, tmp_path)
    assert left(tmp_path) == []


def test_a_sound_file_is_not_touched(server, file, tmp_path):
    before = fetching.fetch(file, tmp_path).stat()
    server.content = CONTENT[::-1]
    after = fetching.fetch(file, tmp_path).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert len(server.asked) == 1


def test_a_broken_file_stays_until_a_sound_one_is_there(server, file, tmp_path):
    (tmp_path / "some").mkdir()
    target = tmp_path / "some" / "net.pth"
    target.write_bytes(b"broken")
    cut(server, file, tmp_path)
    assert target.read_bytes() == b"broken"
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_named(server, file, tmp_path):
    away = dataclasses.replace(file, url="http://127.0.0.1:9/net.pth")
    with pytest.raises(InputError, match=r"cannot be fetched from http://127.0.0.1:9/.*refused"):
        fetching.fetch(away, tmp_path)
    assert left(tmp_path) == []


def test_an_answer_that_is_an_error_is_told(server, file, tmp_path):
    server.content = b""
    with pytest.raises(InputError, match="the server answers 416"):
        fetching.fetch(file, tmp_path)


def test_a_disk_without_room_for_the_file_is_told_before_anything_is_asked(
    server, file, tmp_path, monkeypatch
):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=255_999))
    message = r"net\.pth cannot be written \(it needs 256,000 bytes, its disk has 255,999 left\)"
    with pytest.raises(InputError, match=message):
        fetching.fetch(file, tmp_path)
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_midway_is_told_and_what_came_stays(
    server, file, tmp_path, monkeypatch
):
    appended = fetching.files.append

    def filling(path, block):
        if path.exists() and path.stat().st_size > 100_000:
            raise InputError(f"{path} cannot be written (No space left on device): free some space")
        appended(path, block)

    with monkeypatch.context() as patched:
        patched.setattr(fetching.files, "append", filling)
        with pytest.raises(InputError, match="No space left on device"):
            fetching.fetch(file, tmp_path)
    assert left(tmp_path) == [".net.pth.partial"]
    assert fetching.fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1].startswith("bytes=1")
