"""From a request target to the segments of a path."""

from urllib.parse import unquote


def segments(target: str) -> tuple[str, ...]:
    """The path's segments, after what a deployed Nova does to it.

    The query is dropped, percent escapes are decoded, runs of slashes count as one, ``.`` and
    ``..`` are resolved (``..`` above the root stays at the root). Case is kept. An absolute-form
    target (RFC 9112 §3.2.2) is taken by its path.
    """
    path = target.partition("?")[0]
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if "%" in path:
        path = unquote(path)
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if found:
                found.pop()
        elif segment not in ("", "."):
            found.append(segment)
    return tuple(found)
