"""What is told the host when something cannot be done."""


class Failure(Exception):
    """Something that cannot be done, and why. `what` is a word that the host knows."""

    def __init__(self, what, detail, **facts):
        super().__init__(detail)
        self.what = what
        self.detail = detail
        self.facts = facts

    def message(self):
        return {"what": self.what, "detail": self.detail, **self.facts}
