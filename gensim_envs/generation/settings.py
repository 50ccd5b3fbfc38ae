"""The settings of a run, which its run.json keeps."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pydantic import TypeAdapter, ValidationError

from gensim_envs.generation.conversation import first_problem
from gensim_envs.generation.propose import Scheme
from gensim_envs.generation.recording import Recording, RecordingError


@dataclass(frozen=True)
class Settings:
    """What determines the prompts of a run and what it accepts.

    Attributes:
        run: id of the run, by which its tasks are known in the library.
        model: the model's name.
        scheme: the whole chain, or a single prompt with or without examples.
        count: number of attempts.
        window: attempt k sees the library as it was after attempt k - window.
        rounds: maximum number of repairs.
        critics: number of votes on a finished task.
        seed: of the samples of the library that prompts show.
        embedder: compares tasks.
        target: what the tasks are to lead to, or "".
        curriculum: number of steps towards the target that are planned first; 0 for none.
        temperatures: by query, where they differ from the default.
    """

    run: str
    model: str
    scheme: Scheme = "chain"
    count: int = 20
    window: int = 8
    rounds: int = 3
    critics: int = 3
    seed: int = 0
    embedder: str = "tfidf"
    target: str = ""
    curriculum: int = 0
    temperatures: dict[str, float] | None = None

    @classmethod
    def of(cls, recording: Recording) -> Settings:
        """The settings of a run or recording.

        Raises:
            RecordingError: if they cannot be read.
        """
        known = {field.name for field in fields(cls)}
        data = {key: value for key, value in recording.settings.items() if key in known}
        try:
            return TypeAdapter(cls).validate_python(data)
        except ValidationError as error:
            path = recording.root / "run.json"
            raise RecordingError(f"{path} is not that of a run: {first_problem(error)}") from error
