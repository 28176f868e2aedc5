"""Git over HTTPS for the GitHub stand-in: `git http-backend` behind Basic auth; pushes are always refused."""

import base64
import binascii
import subprocess
from pathlib import Path

from alm.standins.github_git import git_environment
from alm.standins.github_hub import GitHubSettings
from alm.standins.messages import Answer, Request

CHALLENGE = Answer(401, b"Repository not found.", {"WWW-Authenticate": 'Basic realm="GitHub"'})
NO_PUSH = Answer(403, b"Write access to repository not granted.")
# Headers of the request that git's CGI program wants to see.
FORWARDED = {
    "content-type": "CONTENT_TYPE",
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "git-protocol": "GIT_PROTOCOL",
}


class SmartHttp:
    """Serves clones and fetches of the repositories below `root`."""

    def __init__(self, root: Path, settings: GitHubSettings) -> None:
        self._root = root
        self._settings = settings

    def serve(self, request: Request) -> Answer:
        """Answer one git request for the repository and path in its arguments."""
        if password(request) not in {self._settings.read_token, self._settings.write_token}:
            return CHALLENGE
        repository = f"{request.args['owner']}/{request.args['name']}"
        if repository != self._settings.full_name:
            return Answer(404, b"Repository not found.")
        if "git-receive-pack" in {request.first("service"), request.args["path"]}:
            return NO_PUSH
        return self._backend(request, f"/{repository}.git/{request.args['path']}")

    def _backend(self, request: Request, path: str) -> Answer:
        done = subprocess.run(
            ["git", "http-backend"],
            input=request.body,
            env=self._environment(request, path),
            capture_output=True,
            check=False,
        )
        return cgi_answer(done.stdout) if done.stdout else Answer(500, done.stderr)

    def _environment(self, request: Request, path: str) -> dict[str, str]:
        forwarded = {FORWARDED[name]: value for name, value in request.headers.items() if name in FORWARDED}
        return {
            **git_environment(),
            **forwarded,
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": request.target.partition("?")[2],
            # The server has undone chunked coding: the length is that of the body at hand.
            "CONTENT_LENGTH": str(len(request.body)),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": self._settings.login,
        }


def password(request: Request) -> str:
    """Return the password of Basic auth, empty without one; the user name does not matter to GitHub."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def cgi_answer(output: bytes) -> Answer:
    """Turn what a CGI program printed into an answer."""
    head, _, body = output.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    headers = {name: value.strip() for name, _, value in lines}
    status = headers.pop("Status", "200 OK")
    return Answer(int(status.split()[0]), body, headers)
