"""The purge clients that vendors publish on PyPI, called by name: the same conversation as npm_clients.mjs has.

It runs in an environment of its own, without anything of ours.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

ADMIN, _SITE, TOKEN = sys.argv[1:]
os.environ |= {"CLOUDFLARE_BASE_URL": f"{ADMIN}/client/v4", "AWS_ENDPOINT_URL_CLOUDFRONT": ADMIN}

boto3, cloudflare, fastly, requests = (import_module(name) for name in ("boto3", "cloudflare", "fastly", "requests"))
purge_api, edgegrid, fastpurge = map(import_module, ("fastly.api.purge_api", "akamai.edgegrid", "fastpurge"))

EDGERC = {"client_token": "any", "client_secret": "any", "access_token": TOKEN}


def fastly_api() -> Any:
    configuration = fastly.Configuration(host=ADMIN)
    configuration.api_token = TOKEN
    return purge_api.PurgeApi(fastly.ApiClient(configuration))


def akamai(path: str, objects: list[Any]) -> Any:
    session = requests.Session()
    session.auth = edgegrid.EdgeGridAuth(**EDGERC)
    response = session.post(ADMIN + path, json={"objects": objects})
    return {"status": response.status_code, **response.json()}


def fast_purge(kind: str, objects: list[Any], **options: str) -> Any:
    there = urlsplit(ADMIN)
    client = fastpurge.FastPurgeClient(auth={"host": there.hostname, **EDGERC}, scheme="http", port=there.port)
    return client.purge_objects(kind, objects, **options).result(30)


def cloudfront(items: list[str], reference: str) -> Any:
    """Made, and waited for."""
    client = boto3.client("cloudfront", region_name="us-east-1", aws_access_key_id=TOKEN, aws_secret_access_key="any")
    batch = {"CallerReference": reference, "Paths": {"Quantity": len(items), "Items": items}}
    made = client.create_invalidation(DistributionId="D", InvalidationBatch=batch)
    id = made["Invalidation"]["Id"]
    client.get_waiter("invalidation_completed").wait(DistributionId="D", Id=id)
    return {"id": id, "status": made["Invalidation"]["Status"], "location": made["Location"]}


API, FLARE = fastly_api(), cloudflare.Cloudflare(api_token=TOKEN, max_retries=0)

CALLS: dict[str, Any] = {
    "fastly key": lambda **options: API.purge_tag(service_id="S", **options).to_dict(),
    "fastly keys": lambda **options: API.bulk_purge_tag(service_id="S", **options).to_dict(),
    "fastly all": lambda: API.purge_all(service_id="S").to_dict(),
    "fastly url": lambda **options: API.purge_single_url(**options).to_dict(),
    "cloudflare purge": lambda **body: FLARE.cache.purge(zone_id="Z", **body).to_dict(),
    "cloudflare invalidate": lambda **body: FLARE.cache.invalidate(zone_id="Z", **body).to_dict(),
    "cloudfront": cloudfront,
    "akamai": akamai,
    "fastpurge": fast_purge,
}

print('"ready"', flush=True)
for line in sys.stdin:
    name, options = json.loads(line)
    try:
        print(json.dumps({"value": CALLS[name](**options)}), flush=True)
    except Exception as error:
        status = getattr(error, "status_code", None) or getattr(error, "status", None)
        print(json.dumps({"error": f"{type(error).__name__} {error}", "status": status}), flush=True)
