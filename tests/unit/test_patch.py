"""Which lines a review comment may stand at."""

from orchestrator.domain.patch import commentable_lines


def test_added_and_context_lines_of_every_hunk_count() -> None:
    patch = (
        "@@ -1,3 +1,4 @@ def f():\n a\n+b\n-c\n d\n+e\n@@ -20 +30,2 @@\n x\n+y\n\\ No newline at end of file"
    )
    assert commentable_lines(patch) == {1: "a", 2: "b", 3: "d", 4: "e", 30: "x", 31: "y"}


def test_a_deleted_file_has_no_line() -> None:
    assert commentable_lines("@@ -1,2 +0,0 @@\n-a\n-b") == {}


def test_a_new_file_has_all_its_lines() -> None:
    assert commentable_lines("@@ -0,0 +1,2 @@\n+a\n+b") == {1: "a", 2: "b"}


def test_no_patch_means_no_line() -> None:
    assert commentable_lines(None) == {}
    assert commentable_lines("") == {}


def test_lines_that_look_like_hunks_are_content() -> None:
    assert commentable_lines("@@ -1 +1,3 @@\n+@@ -9 +9 @@\n ++\n+--- x") == {
        1: "@@ -9 +9 @@",
        2: "++",
        3: "--- x",
    }
