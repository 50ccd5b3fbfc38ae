"""Answers from a recording, and a recording of answers."""

from __future__ import annotations

import threading
from dataclasses import replace

from gensim_envs.generation.providers.base import ApiError, ContextTooLong, Provider
from gensim_envs.generation.recording import Answer, Call, Recording


class _Answers:
    """The answers of a recording, which reads each attempt once."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._known: dict[int, dict[str, tuple[str, Answer]]] = {}
        self._lock = threading.Lock()

    def find(self, call: Call) -> tuple[str, Answer] | None:
        """(digest of the messages, answer) of a call."""
        with self._lock:
            if call.attempt not in self._known:
                self._known[call.attempt] = self._recording.answers(call.attempt)
        return self._known[call.attempt].get(call.name)


class ReplayProvider:
    """Answers from a recording, without network and key.

    Args:
        recording: where from.
    """

    def __init__(self, recording: Recording) -> None:
        self.model = str(recording.settings.get("model", "unknown"))
        self._root = recording.root
        self._answers = _Answers(recording)

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        found = self._answers.find(call)
        if found is None:
            raise ApiError(f"{self._root} has no answer to {call.name} of attempt {call.attempt}")
        digest, answer = found
        return replace(_given(answer), changed=digest != call.digest)


class Recorded:
    """Records the answers of another provider, and gives them again after a stop.

    Args:
        inner: the other provider.
        recording: where answers are kept, and looked for first.
    """

    def __init__(self, inner: Provider, recording: Recording) -> None:
        self.model = inner.model
        self._inner = inner
        self._recording = recording
        self._answers = _Answers(recording)

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        found = self._answers.find(call)
        if found is not None and found[0] == call.digest:
            return _given(found[1])
        try:
            answer = self._inner.complete(call)
        except ContextTooLong as error:  # a replay must cut the prompt as often
            self._recording.append(call, Answer("", too_long=str(error)))
            raise
        self._recording.append(call, answer)
        return answer


def _given(answer: Answer) -> Answer:
    """A recorded answer; raises the recorded error instead where there was one."""
    if answer.too_long:
        raise ContextTooLong(answer.too_long)
    return answer
