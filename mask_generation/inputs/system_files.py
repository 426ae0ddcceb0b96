"""Files and folders that systems and archive programs make, among those of the user.

Owns their names. Who passes them over, and what else is passed over, is decided elsewhere.
"""

_FOLDERS = frozenset(
    (
        *("@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "__macosx"),
        *("lost+found", "found.000", "system volume information"),
    )
)
_FILES = frozenset(("thumbs.db", "desktop.ini"))


def is_the_users(folder: str) -> bool:
    """Whether a folder of this name is the user's own, and neither hidden nor a system's.

    Example:
        >>> is_the_users("cat"), is_the_users("lost+found"), is_the_users(".git")
        (True, False, False)
    """
    return not folder.startswith(".") and folder.lower() not in _FOLDERS


def is_the_systems(name: str) -> bool:
    """Whether a file or folder of this name is one that a system puts into any folder.

    Example:
        >>> is_the_systems(".DS_Store"), is_the_systems("Thumbs.db"), is_the_systems(".notes")
        (True, True, False)
    """
    known = name.lower() in _FILES or name in (".DS_Store", ".directory")
    # Of macOS on other file systems; of a network share, for a file that was open when it went.
    hidden = name.startswith(("._", ".nfs", ".fuse_hidden"))
    return known or hidden or name.lower() in _FOLDERS
