"""`gatekeeper gateway`: the proxy as a process of its own, from flags or behind a control plane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import complain

if TYPE_CHECKING:
    from gatekeeper.model.split import Split

_WHOLE = 100.0


def command(
    *,
    baseline: Annotated[str | None, typer.Option(help="Root URL of the server that answers users.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Root URL of the server under test.")] = None,
    weight: Annotated[str, typer.Option(help="Share of users that the candidate answers, such as 10%.")] = "0%",
    mirror: Annotated[str, typer.Option(help="Share of baseline requests copied to the candidate.")] = "0%",
    baseline_model: Annotated[str, typer.Option(help="Model name to ask the baseline for; default: as sent.")] = "",
    candidate_model: Annotated[str, typer.Option(help="Model name to ask the candidate for; default: as sent.")] = "",
    service: Annotated[str, typer.Option(help="Name of the service in what is recorded.")] = "default",
    salt: Annotated[str, typer.Option(help="Salt of the cohorts; another salt draws others.")] = "gatekeeper",
    policy: Annotated[
        Path | None, typer.Option(help="Policy file whose cohorts and segment_rules hold here.", dir_okay=False)
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Append scored samples to this JSONL file.")] = None,
    host: Annotated[str, typer.Option(envvar="GATEKEEPER_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="GATEKEEPER_GATEWAY_PORT", min=0, max=65535, help="0: a free one.")
    ] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    api_url: Annotated[str, typer.Option(envvar="GATEKEEPER_API_URL", help="Control plane to follow.")] = "",
    api_key: Annotated[str, typer.Option(envvar="GATEKEEPER_API_KEY", help="Its key (scope ingest).")] = "",
    api_key_file: Annotated[
        Path | None, typer.Option(envvar="GATEKEEPER_API_KEY_FILE", help="File with the key.")
    ] = None,
    gateway_id: Annotated[str, typer.Option(help="Name towards the control plane; default: host and port.")] = "",
    data_dir: Annotated[
        Path, typer.Option(envvar="GATEKEEPER_DATA_DIR", help="For the spool and the last good splits.")
    ] = Path("gatekeeper-data"),
    expose_release: Annotated[
        bool, typer.Option(envvar="GATEKEEPER_EXPOSE_RELEASE", help="Answer with x-gatekeeper-release.")
    ] = False,
    mirror_in_flight: Annotated[
        int,
        typer.Option(
            envvar="GATEKEEPER_MIRROR_IN_FLIGHT", min=0, help="Copies under way at a time; others are dropped."
        ),
    ] = 256,
    override_key: Annotated[
        str, typer.Option(envvar="GATEKEEPER_OVERRIDE_KEY", help="Secret of testers who may ask for an arm.")
    ] = "",
    override_key_file: Annotated[
        Path | None, typer.Option(envvar="GATEKEEPER_OVERRIDE_KEY_FILE", help="File with that secret.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Serve HTTPS with this certificate chain (PEM); SIGHUP reads it again.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM); default: in the same file.")] = None,
    proxy_protocol: Annotated[
        bool, typer.Option(help="Take clients' addresses from PROXY headers (v1, v2); refuse connections without.")
    ] = False,
    upstream_ca: Annotated[Path | None, typer.Option(help="Trust https upstreams signed by this CA (PEM) too.")] = None,
    ask_usage: Annotated[
        bool, typer.Option(help="Ask engines for the token counts of streams whose clients did not; clients see none.")
    ] = True,
    drain_s: Annotated[float, typer.Option(min=0, help="Seconds for requests under way after SIGTERM.")] = 30.0,
) -> None:
    """Serve the OpenAI API: split users between baseline and candidate, mirror, fall back, and record.

    With --baseline it runs alone; with --api-url it follows a control plane's splits and sends it what it records.
    """
    import socket  # noqa: PLC0415 - needed only when run

    from gatekeeper.errors import InputError  # noqa: PLC0415 - as above
    from gatekeeper.gateway import process, supervisor  # noqa: PLC0415 - as above
    from gatekeeper.gateway.limits import Limits  # noqa: PLC0415 - as above

    if baseline is None and not api_url:
        raise InputError("a gateway needs --baseline URL, or --api-url of a control plane to follow")
    if candidate is not None and baseline is None:
        raise InputError("--candidate needs --baseline: it is compared with something")
    if policy is not None and baseline is None:
        raise InputError("--policy needs --baseline: a control plane sends its own rollouts' policies")
    if tls_key is not None and tls_cert is None:
        raise InputError("--tls-key needs --tls-cert: the certificate that it belongs to")
    split = None
    if baseline is not None:
        split = _split(
            service,
            (baseline, baseline_model),
            (candidate, candidate_model) if candidate is not None else None,
            (weight, mirror),
            salt,
            policy,
        )
    key = _secret(api_key, api_key_file)
    with process.reserve(host, port) as held:
        port = held.getsockname()[1]
        role = process.Role(
            host=host,
            port=port,
            split=split,
            record=record,
            api_url=api_url,
            api_key=key,
            gateway_id=gateway_id or f"{socket.gethostname()}-{port}",
            data_dir=data_dir,
            show_release=expose_release,
            override_key=_secret(override_key, override_key_file),
            tls_cert=tls_cert,
            tls_key=tls_key,
            proxy_protocol=proxy_protocol,
            upstream_ca=upstream_ca,
            ask_usage=ask_usage,
            drain_s=drain_s,
            limits=Limits(shadow_in_flight=mirror_in_flight),
        )
        role.check()
        complain(f"gateway on {'http' if tls_cert is None else 'https'}://{host}:{port}")
        if workers > 1:
            supervisor.supervise(role, workers)
        else:
            process.run(role)


def _split(
    service: str,
    baseline: tuple[str, str],
    candidate: tuple[str, str] | None,
    shares: tuple[str, str],
    salt: str,
    policy: Path | None,
) -> Split:
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - needed only when run
    from gatekeeper.gateway.origin import check_url  # noqa: PLC0415 - needed only when run
    from gatekeeper.model.split import Endpoint, Split  # noqa: PLC0415 - as above

    weight_bp, mirror_bp = _share_bp("--weight", shares[0]), _share_bp("--mirror", shares[1])
    for given in (baseline, candidate):
        if given is not None:
            check_url(given[0])
    rules = read_policy(policy)[0] if policy is not None else None
    return Split(
        service=service,
        epoch=0,
        version=0,
        baseline=Endpoint(url=baseline[0], model=baseline[1]),
        candidate=Endpoint(url=candidate[0], model=candidate[1]) if candidate is not None else None,
        candidate_bp=weight_bp,
        mirror_bp=mirror_bp,
        salt=salt,
        stage=0,
        cohorts=rules.cohorts if rules is not None else None,
        segment_rules=rules.segment_rules if rules is not None else (),
    )


def _secret(given: str, file: Path | None) -> str:
    """Return a secret as it was given, or from its file."""
    from gatekeeper.cli._files import read_text  # noqa: PLC0415 - needed only when run

    return given if given or file is None else read_text(file).strip()


def _share_bp(option: str, text: str) -> int:
    """Read `10%` (or `10`) as basis points."""
    from gatekeeper.errors import InputError  # noqa: PLC0415 - needed only when run

    try:
        share = float(text.removesuffix("%"))
    except ValueError:
        share = -1.0
    if not 0 <= share <= _WHOLE:
        raise InputError(f"{option} {text!r}: expected a share from 0% to 100%, such as 10%")
    return round(share * 100)
