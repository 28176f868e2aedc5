"""The demo's model: it knows the task by the sentence every prompt of ours gives it."""

from alm.demo import turns
from alm.standins.model import Conversation, Turn

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
    """The turn that comes next in this conversation."""
    said = next(said for task, said in TASKS.items() if task in conversation.prompt)
    return said[min(conversation.step, len(said) - 1)]
