"""The demo's model: it knows the task by the sentence every prompt of ours gives it."""

from dataclasses import replace

from alm.demo import turns
from alm.standins.model import Conversation, ToolCall, Turn

TASKS = {
    "Find the root cause of the defect in ticket": turns.INVESTIGATE,
    "Analyse the impact of ticket": turns.IMPACT,
    "Recommend how to do what ticket": turns.RECOMMEND,
    "Fix the defect in ticket": turns.FIX,
    "Implement ticket": turns.IMPLEMENT,
    "Review the pull request of ticket": turns.CODE_REVIEW,
    "Review the security of the pull request of ticket": turns.SECURITY_REVIEW,
}


def script(conversation: Conversation) -> Turn:
    """The turn that comes next in this conversation, with its paths where the agent has its repository."""
    said = next(said for task, said in TASKS.items() if task in conversation.prompt)
    turn = said[min(conversation.step, len(said) - 1)]
    return replace(turn, tools=tuple(_placed(call, conversation.folder) for call in turn.tools))


def _placed(call: ToolCall, folder: str) -> ToolCall:
    path = str(call.input.get("file_path", ""))
    if not path.startswith(turns.FOLDER):
        return call
    return ToolCall(call.name, {**call.input, "file_path": folder + path.removeprefix(turns.FOLDER)})
