"""Log probabilities of an answer's tokens, made up but well formed."""

from local.simulator.dice import Dice

_OTHERS = (" the", " a", " of", ".", ",", " to", " and", " in", " is", " that", " it", " for")


def token_logprobs(tokens: list[str], alternatives: int, dice: Dice) -> dict[str, object]:
    """Build the `logprobs` of a stretch of tokens, each with so many alternatives (0 to 20).

    The token itself leads its alternatives, which grow less likely.
    """
    return {
        "content": [_token_logprob(token, alternatives, dice) for token in tokens],
        "refusal": None,
    }


def _token_logprob(token: str, alternatives: int, dice: Dice) -> dict[str, object]:
    logprob = -dice.below(700) / 1000
    others = [_OTHERS[rank % len(_OTHERS)] * (1 + rank // len(_OTHERS)) for rank in range(20)]
    top = [_probability(token, logprob)] + [
        _probability(other, logprob - 1 - rank / 4) for rank, other in enumerate(others)
    ]
    return {**_probability(token, logprob), "top_logprobs": top[:alternatives]}


def _probability(token: str, logprob: float) -> dict[str, object]:
    data = token.encode("utf-8", "surrogatepass")
    return {"token": token, "logprob": logprob, "bytes": list(data)}
