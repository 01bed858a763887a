"""The test server behind a real socket, strict about stations' signatures: for agents that run as processes."""

import threading
import time
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from card_agent.fault import ServerRefused
from card_agent.protocol import request as head
from card_agent.protocol.codec import decode, encode, parse_moment
from card_agent.protocol.jobs import Enrol, Enrolled, Heartbeat, Jobs, Nothing, Work
from tests.card_agent.server import FakeServer

CODE = "GOOD-CODE"


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


class HttpServer:
    """`beats`: heartbeats as they came. `down`: answers 502 to everything while set."""

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self.key: Ed25519PublicKey | None = None
        self.beats: list[Heartbeat] = []
        self.nonces: set[str] = set()
        self.changed = threading.Condition()
        self.down = threading.Event()
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Quiet)
        self.address = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def give(self, job: Any) -> None:
        with self.changed:
            self.fake.jobs[job.job_id] = job
            self.changed.notify_all()

    def wait_for(self, condition: Any, seconds: float = 60) -> Any:
        """Until the condition holds; conditions change with requests only."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (found := condition()):
                assert self.changed.wait(max(0.0, end - time.monotonic())), "nothing happened in time"
            return found

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        try:
            if self.down.is_set():
                response = Response("bad gateway", 502)
            else:
                self._authenticate(request, body)
                answer = self._answer(request.path, body)
                response = Response(encode(answer), mimetype="application/json")
        except ServerRefused as refusal:
            error = {"code": refusal.code, "zh": refusal.zh, "en": refusal.en, "fields": {}}
            response = Response(encode({"error": error}), refusal.status, mimetype="application/json")
        with self.changed:
            self.changed.notify_all()
        return response(environ, start_response)

    def _authenticate(self, request: Request, body: bytes) -> None:
        said = head.RequestHead(
            method=request.method,
            path=request.path,
            station=request.headers[head.STATION],
            time=request.headers[head.TIME],
            nonce=request.headers[head.NONCE],
        )
        enrolling = request.path.endswith("/enrol")
        key = Ed25519PublicKey.from_public_bytes(decode(Enrol, body).public_key) if enrolling else self.key
        assert said.station == (head.ENROLLING if enrolling else "7")
        assert said.nonce not in self.nonces and key is not None
        self.nonces.add(said.nonce)
        assert abs((datetime.now(UTC) - parse_moment(said.time)).total_seconds()) < 120
        try:
            signature = request.headers[head.SIGNATURE].removeprefix(head.SIGNATURE_PREFIX)
            key.verify(b64decode(signature), said.signed_bytes(body))
        except InvalidSignature as error:
            raise ServerRefused(401, "station.bad_signature", "签名不正确", "bad signature") from error

    def _answer(self, path: str, body: bytes) -> object:
        if path.endswith("/enrol"):
            enrol = decode(Enrol, body)
            if enrol.code != CODE:
                raise ServerRefused(403, "station.code_spent", "登记码已使用或已过期", "the code is spent")
            self.key = Ed25519PublicKey.from_public_bytes(enrol.public_key)
            world = self.fake.world
            return Enrolled(
                station_id=7,
                station_name="一号工位",
                server_order_certificate=world.order_certificate,
                roots=(world.authority.root,),
            )
        if path.endswith("/heartbeat"):
            self.beats.append(decode(Heartbeat, body))
            return Nothing()
        if path.endswith("/work"):
            return self._work(decode(Work, body))
        return self.fake.serve(path, body)

    def _work(self, work: Work) -> Jobs:
        with self.changed:
            self.changed.wait_for(lambda: tuple(self.fake.jobs) != work.known, timeout=work.wait_s)
            return Jobs(jobs=tuple(self.fake.jobs.values()))
