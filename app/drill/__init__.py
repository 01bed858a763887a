"""Drills: what must hold when it matters, played for real. One module a drill, with a `command` for `yinxu drill`."""
