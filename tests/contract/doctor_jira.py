"""What the doctor asks of Jira beside the orchestrator's own requests, served by the stand-in."""

from collections.abc import Callable, Mapping

from alm.standins.http import Answer, Request, Route, json_answer
from alm.standins.jira import REST, JiraStandIn

RIGHTS = ("BROWSE_PROJECTS", "EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS")


def teach(
    jira: JiraStandIn,
    rights: tuple[str, ...] = RIGHTS,
    types: tuple[str, ...] = ("Bug", "Story"),
    operations: tuple[str, ...] = ("add", "set", "remove"),
) -> None:
    """Let the stand-in answer about project, rights and the edit screen."""

    def project(request: Request) -> Answer:
        if request.args["key"] != jira.settings.project_key:
            return json_answer(404, {"errorMessages": ["No project"], "errors": {}})
        named = [{"id": str(number), "name": name} for number, name in enumerate(types)]
        return json_answer(200, {"id": "10000", "key": request.args["key"], "issueTypes": named})

    def permissions(request: Request) -> Answer:
        asked = request.listed("permissions")
        held = {
            name: {"id": "1", "key": name, "name": name, "type": "PROJECT", "havePermission": name in rights}
            for name in asked
        }
        return json_answer(200, {"permissions": held})

    def screen(_: Request) -> Answer:
        labels = {
            "required": False,
            "schema": {"type": "array", "items": "string", "system": "labels"},
            "name": "Labels",
            "key": "labels",
            "operations": list(operations),
        }
        return json_answer(200, {"fields": {"labels": labels}})

    served: Mapping[str, Callable[[Request], Answer]] = {
        "/project/(?P<key>[^/]+)": project,
        "/mypermissions": permissions,
        "/issue/(?P<key>[^/]+)/editmeta": screen,
    }
    jira.add_routes(Route("GET", REST + pattern, handler) for pattern, handler in served.items())
