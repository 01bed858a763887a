"""A mail server and a web server of tests, on a port of this machine, in a thread."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class MailServer:
    """Speaks SMTP to one client at a time. `answers`: what the next mails' DATA is answered with; else it is taken."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls, self.port = tls, 0
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, str, bool]] = []
        self.logins: list[str] = []
        self.answers: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = receiver = ""
        writer.write(b"220 mail.test ESMTP\r\n")
        while line := (await reader.readline()).decode():
            verb, _, rest = line.strip().partition(" ")
            secure = writer.get_extra_info("ssl_object") is not None
            match verb.upper():
                case "EHLO":
                    more = "250-STARTTLS\r\n" if self.tls and not secure else "250-AUTH PLAIN\r\n"
                    writer.write(f"250-mail.test\r\n{more}250 8BITMIME\r\n".encode())
                case "STARTTLS":
                    writer.write(b"220 go\r\n")
                    await writer.start_tls(self.tls)
                case "AUTH":
                    self.logins.append(rest)
                    writer.write(b"235 welcome\r\n")
                case "MAIL":
                    sender = rest
                    writer.write(b"250 ok\r\n")
                case "RCPT":
                    receiver = rest
                    writer.write(b"250 ok\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    said = self.answers.pop(0) if self.answers else "250 taken"
                    if said.startswith("250"):
                        self.mails.append(message_from_bytes(content[:-3], policy=policy.default))  # type: ignore[arg-type]
                        self.envelopes.append((sender, receiver, secure))
                    writer.write(f"{said}\r\n".encode())
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 ok\r\n")
        writer.close()


@contextlib.contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    made, loop, ready = MailServer(tls), asyncio.new_event_loop(), threading.Event()

    def run() -> None:
        server = loop.run_until_complete(asyncio.start_server(made.talk, "127.0.0.1", 0))
        made.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class WebServer:
    """Remembers what was posted. `answers`: the next statuses; 204 when there are none."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.slow = threading.Event()
        self.port = 0


@contextlib.contextmanager
def web_server() -> Iterator[WebServer]:
    made = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.posts.append((self.path, dict(self.headers), body))
            status = made.answers.pop(0) if made.answers else 204
            if status == 0:  # never a whole answer
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                made.slow.wait(10)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{made.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()
