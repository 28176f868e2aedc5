"""The model: one answer of one token from each model that agents may use, through the provider that jobs use."""

import json
from collections.abc import Iterator, Mapping

import requests

from alm.doctor.finding import Finding, fault, ok
from alm.settings import LocalSettings
from orchestrator.adapters.gateway.provider import MESSAGES, Call, ModelProvider, NoAnswer
from orchestrator.config import ModelSettings, Provider

HEADERS = {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "accept": "application/json",
}
MENDS: Mapping[int, str] = {
    401: "Renew the credential of the model's service.",
    403: "Check the rights of the credential: with Bedrock, access to the model in that region.",
    404: "Check CLAUDE_MODEL, MODEL_ALLOWLIST and MODEL_IDS.",
    429: "The service limits requests: try again later, or raise the limit.",
}


def access(settings: LocalSettings) -> Iterator[Finding]:
    """Ask each agreed model for one token, which costs a thousandth of a cent or so."""
    told = ModelSettings.read(settings.worker_environment())
    provider = _provider(told, settings)
    for model in sorted(told.rules.models):
        yield _answered(model, provider)


def _provider(told: ModelSettings, settings: LocalSettings) -> ModelProvider:
    match told.model_provider:
        case Provider.ANTHROPIC:
            from orchestrator.adapters.gateway.anthropic import connect  # noqa: PLC0415  # only the one that is used
        case Provider.BEDROCK:
            from orchestrator.adapters.gateway.bedrock import connect  # noqa: PLC0415  # the same
        case Provider.VERTEX:
            from orchestrator.adapters.gateway.vertex import connect  # noqa: PLC0415  # the same
    return connect(told, settings.secrets().__getitem__)


def _answered(model: str, provider: ModelProvider) -> Finding:
    request = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "Say yes."}]}
    topic = f"model {model}"
    try:
        answer = provider.send(call(request))
    except NoAnswer:
        return fault(topic, "the service does not answer", "Check its address and the network.")
    answer.close()
    if answer.status == requests.codes.ok:
        return ok(topic, "answers (asked for one token)")
    mend = MENDS.get(answer.status, "Try again later.")
    return fault(topic, f"the service answered {answer.status}", mend)


def call(request: Mapping[str, object]) -> Call:
    """The request as the gateway would pass it on."""
    return Call(MESSAGES, "", HEADERS, request, json.dumps(request).encode())
