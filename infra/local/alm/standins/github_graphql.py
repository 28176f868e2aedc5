"""The one GraphQL mutation of the GitHub stand-in: an open pull request becomes a draft, which REST cannot do."""

from alm.standins.github_answers import body_of
from alm.standins.github_hub import Hub, Rejected
from alm.standins.github_json import node_id
from alm.standins.messages import Answer, Request, json_answer

MUTATION = "convertPullRequestToDraft"


class GraphQl:
    """Handlers over the hub. GraphQL answers 200 to errors too."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def post(self, request: Request) -> Answer:
        """Answer the mutation."""
        body = body_of(request, "query")
        if MUTATION not in body["query"]:
            return _error("undefinedField", "The stand-in knows no other query.")
        asked = body.get("variables", {}).get("input", {}).get("pullRequestId")
        numbers = {node_id("PullRequest", number): number for number in self._hub.pulls}
        if asked not in numbers:
            return _error("NOT_FOUND", f"Could not resolve to a node with the global id of '{asked}'.")
        try:
            pull = self._hub.make_draft(numbers[asked])
        except Rejected as rejected:
            return _error("UNPROCESSABLE", str(rejected))
        written = {"clientMutationId": None, "pullRequest": {"isDraft": pull.draft}}
        return json_answer(200, {"data": {MUTATION: written}})


def _error(kind: str, message: str) -> Answer:
    return json_answer(200, {"data": None, "errors": [{"type": kind, "message": message}]})
