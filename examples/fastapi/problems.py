"""Errors as HTTP: who is to blame decides the status."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from wasmtime_attestation import (
    AttestationError,
    DeniedError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    StartError,
    UnavailableError,
    UnsupportedError,
)

STATUS = {
    InvalidArgumentError: HTTPStatus.BAD_REQUEST,
    RejectedError: HTTPStatus.UNPROCESSABLE_ENTITY,  # it is not authentic
    PolicyError: HTTPStatus.FORBIDDEN,  # it is, and that is not enough
    DeniedError: HTTPStatus.FORBIDDEN,
    UnsupportedError: HTTPStatus.NOT_IMPLEMENTED,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What is not here is this service's own fault: 500."""


def answer_by_blame(app: FastAPI) -> None:
    """Has an application answer with the errors of attestation and of guests."""

    @app.exception_handler(AttestationError)
    async def attestation(_: Request, error: AttestationError) -> JSONResponse:
        status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            return JSONResponse({"case": error.case, "detail": "see the log"}, status)
        return JSONResponse({"case": error.case, "detail": str(error)}, status)

    @app.exception_handler(StartError)
    async def start(_: Request, error: StartError) -> JSONResponse:
        detail = {"case": "start", "detail": str(error)}
        return JSONResponse(detail, HTTPStatus.UNPROCESSABLE_ENTITY)
