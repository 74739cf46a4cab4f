"""The servers that are compared: each a function from a scene to a running server, one row of the table each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from generator import KEY, MODEL
from tools import HERE, free_port, nginx, peers_bin, request_path
from trees import UNDER_TEST, Tree

from gatekeeper.model.split import WHOLE_BP, Endpoint, Split
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold what stands behind a server: two upstreams' root URLs, the candidate's share; mirror: copy all to it."""

    folder: Path
    baseline: str
    candidate: str
    candidate_bp: int
    mirror: bool


@dataclass(frozen=True, slots=True)
class Server:
    """Hold a running server and the processes that it needs and that are not weighed. plane: where it sends records."""

    tree: Tree
    beside: Sequence[Tree] = field(default=())
    plane: str = ""

    def stop(self) -> None:
        """End all of it."""
        for tree in (self.tree, *self.beside):
            tree.stop()


def gatekeeper(scene: Scene) -> Server:
    """Start our gateway as it runs in production: following a control plane, recording to it through the spool.

    Its request path is compiled, as in the image.
    """
    return _gatekeeper(scene, OURS, {"PYTHONPATH": str(request_path())})


def gatekeeper_from_source(scene: Scene) -> Server:
    """Start our gateway without anything compiled, as it runs where there is no compiler."""
    return _gatekeeper(scene, FROM_SOURCE, {})


def _gatekeeper(scene: Scene, name: str, environment: Mapping[str, str]) -> Server:
    plane_port, port = free_port(), free_port()
    split = Split(
        service=MODEL,
        epoch=1,
        version=1,
        baseline=Endpoint(url=scene.baseline, model="m"),
        candidate=Endpoint(url=scene.candidate, model="m"),
        candidate_bp=scene.candidate_bp,
        mirror_bp=WHOLE_BP if scene.mirror else 0,
        salt="bench",
        rollout_id="bench",
        stage=1,
    )
    wanted = scene.folder / f"split-{plane_port}.json"
    wanted.write_text(json.dumps({"splits": [to_dict(split)]}))
    command = [sys.executable, str(HERE / "plane.py"), str(plane_port), str(wanted)]
    plane = Tree("plane", command, port=plane_port, log=scene.folder / f"plane-{plane_port}.log").ready()
    command = [sys.executable, "-P", "-m", "gatekeeper", "gateway", "--port", str(port), "--api-url", plane.url]
    command += ["--api-key", KEY, "--data-dir", str(scene.folder / f"gateway-{port}")]
    return Server(_started(name, command, port, scene, environment), (plane,), plane.url)


_NGINX = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error; worker_rlimit_nofile 60000;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 128k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  split_clients "$connection.$connection_requests" $arm {{ {share} * baseline; }}
  upstream baseline {{ server {baseline}; keepalive 2000; keepalive_requests 1000000000; }}
  upstream candidate {{ server {candidate}; keepalive 2000; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_buffering off;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://$arm; {mirror} }}
    location = /mirror {{ internal; proxy_pass http://candidate$request_uri; }}
  }}
}}
"""


def nginx_split(scene: Scene) -> Server:
    """Start nginx: `split_clients`, or `mirror` where the scene copies everything; kept connections, no buffering."""
    program, port = nginx(), free_port()
    text = _NGINX.format(
        port=port,
        baseline=scene.baseline.removeprefix("http://"),
        candidate=scene.candidate.removeprefix("http://"),
        share=f"{scene.candidate_bp / 100}% candidate;" if scene.candidate_bp else "",
        mirror="mirror /mirror;" if scene.mirror else "",
    )
    home = scene.folder / f"nginx-{port}"
    home.mkdir()
    (home / "nginx.conf").write_text(text)
    return Server(_started("nginx", [str(program), "-p", str(home), "-c", "nginx.conf"], port, scene))


def vllm_router(scene: Scene) -> Server:
    """Start vLLM's router over both upstreams; it knows no shares and no copies."""
    port, metrics = free_port(), free_port()
    command = [str(peers_bin() / "vllm-router"), "--port", str(port), "--worker-urls", scene.baseline, scene.candidate]
    command += ["--policy", "round_robin", "--log-level", "error", "--prometheus-port", str(metrics)]
    return Server(_started("vllm-router", command, port, scene))


def litellm(scene: Scene) -> Server:
    """Start LiteLLM's proxy with a master key and two weighted deployments."""
    port = free_port()
    config = scene.folder / f"litellm-{port}.yaml"
    models = [
        {
            "model_name": MODEL,
            "litellm_params": {"model": "openai/m", "api_base": f"{url}/v1", "api_key": "none", "weight": weight},
        }
        for url, weight in ((scene.baseline, WHOLE_BP - scene.candidate_bp), (scene.candidate, scene.candidate_bp))
    ]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
    command = [str(peers_bin() / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    return Server(_started("LiteLLM", command, port, scene, quiet))


def fastapi_httpx(scene: Scene) -> Server:
    """Start the proxy of sixty lines, in the project's own environment."""
    port = free_port()
    command = [sys.executable, str(HERE / "fastapi_proxy.py"), str(port), scene.baseline, scene.candidate]
    command += [str(scene.candidate_bp), str(int(scene.mirror)), str(scene.folder / f"fastapi-{port}.jsonl")]
    return Server(_started("FastAPI + httpx", command, port, scene))


def _started(
    name: str, command: Sequence[str], port: int, scene: Scene, environment: Mapping[str, str] | None = None
) -> Tree:
    log = scene.folder / f"{name.split(maxsplit=1)[0]}-{port}.log"
    return Tree(name, command, port=port, log=log, core=UNDER_TEST, environment=environment).ready()


OURS = "gatekeeper"
FROM_SOURCE = "gatekeeper, from source"
PEERS: dict[str, Callable[[Scene], Server]] = {
    OURS: gatekeeper,
    FROM_SOURCE: gatekeeper_from_source,
    "nginx": nginx_split,
    "vllm-router": vllm_router,
    "FastAPI + httpx": fastapi_httpx,
    "LiteLLM proxy": litellm,
}
MIRRORING = (OURS, FROM_SOURCE, "nginx", "FastAPI + httpx")
"""Those that can copy requests."""
