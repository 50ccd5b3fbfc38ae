"""Replay recorded answers, and record answers."""

from __future__ import annotations

from dataclasses import replace

from gensim_envs.generation.providers import ApiError, ContextTooLong, Provider
from gensim_envs.generation.recording import Answer, Call, Recording


class ReplayProvider:
    """Answers from a recording, without network and key.

    Args:
        recording: recording to read.
    """

    def __init__(self, recording: Recording) -> None:
        self.model = recording.settings.model
        self._recording = recording

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        found = self._recording.answers(call.attempt).get(call.name)
        if found is None:
            root = self._recording.root
            raise ApiError(f"{root} has no answer to {call.name} of attempt {call.attempt}")
        digest, answer = found
        return replace(_given(answer), changed=digest != call.digest)


class Recorded:
    """Records the answers of another provider, and reuses them when a run is resumed.

    Args:
        inner: the other provider.
        recording: recording that answers are looked up in first and added to.
    """

    def __init__(self, inner: Provider, recording: Recording) -> None:
        self.model = inner.model
        self._inner = inner
        self._recording = recording

    def complete(self, call: Call) -> Answer:
        """See `Provider`."""
        found = self._recording.answers(call.attempt).get(call.name)
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
    """A recorded answer; raises the recorded error if there was one."""
    if answer.too_long:
        raise ContextTooLong(answer.too_long)
    return answer
