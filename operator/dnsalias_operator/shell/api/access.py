"""Where the cluster is and who we are there: kubeconfig, exec plugin, or the pod's own ServiceAccount."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse, encode_basic_auth
from aiohttp.hdrs import PROXY_AUTHORIZATION
from kubernetes.aio import config as kubeconfigs
from kubernetes.aio.client import Configuration
from multidict import CIMultiDict, istr
from yarl import URL

from dnsalias_operator.shell.api.errors import ClusterError

_MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_DEFAULT_NAMESPACE = "dnsalias-system"
_SERVICE_ACCOUNT_HOST = "KUBERNETES_SERVICE_HOST"


async def load_configuration(kubeconfig: str | None = None, context: str | None = None) -> Any:  # noqa: ANN401 (untyped)
    """Read the credentials again: tokens rotate, exec plugins hand out new ones.

    Raises:
        ClusterError: there is no configuration, or it cannot be read.
    """
    configuration = Configuration()
    if kubeconfig and not os.path.isfile(kubeconfig):  # noqa: ASYNC240, PTH113 (one stat at start)
        raise ClusterError(f"no access to a cluster: kubeconfig {kubeconfig}: no such file")
    if not kubeconfig and not _in_cluster(context) and (looked := _looked_at_in_vain()):
        raise ClusterError(f"no kubeconfig found (looked at {', '.join(looked)}); give --kubeconfig FILE")
    try:
        if not kubeconfig and _in_cluster(context):
            kubeconfigs.load_incluster_config(client_configuration=configuration)
        else:
            await _read_kubeconfig(kubeconfig, context, configuration)
    except (kubeconfigs.ConfigException, OSError, ValueError) as error:
        raise _no_access(kubeconfig, str(error)) from error
    except yaml.YAMLError as error:
        raise _no_access(kubeconfig, f"not YAML: {' '.join(str(error).split())}") from error
    except (TypeError, KeyError, AttributeError) as error:
        # The library takes the shape of the file for granted.
        raise _no_access(kubeconfig, f"not a kubeconfig; `kubectl config view` shows one ({error!r})") from error
    # The environment is asked once, here. aiohttp would ask it for each request, in two threads of their own, and would
    # take a .netrc for credentials.
    configuration.client_session_kwargs = {"trust_env": False}
    configuration.proxy, for_proxy = _proxy(configuration.proxy or environment_proxy(configuration.host) or "")
    configuration.client_session_kwargs["middlewares"] = (_middleware(for_proxy, configuration.tls_server_name),)
    return configuration


def _in_cluster(context: str | None) -> bool:
    """Whether the pod's own ServiceAccount is used where no kubeconfig is given."""
    return not context and _SERVICE_ACCOUNT_HOST in os.environ and "KUBECONFIG" not in os.environ


def _looked_at_in_vain() -> list[str]:
    """Where kubectl looks, the files of KUBECONFIG or that of the home folder; nothing where one of them is there."""
    given = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    looked = given or [os.path.expanduser("~/.kube/config")]  # noqa: PTH111
    return [] if any(map(os.path.isfile, looked)) else looked


def _proxy(given: str) -> tuple[str | None, Mapping[istr, str]]:
    """URL of a proxy without what a URL must not hold, and the headers that hold it; None: there is no proxy.

    URLs are shown in errors, which people read in conditions and at /readyz.
    """
    try:
        # As others who read HTTPS_PROXY: a host and a port alone are an HTTP proxy.
        url = URL(given if not given or "://" in given else f"http://{given}")
        if not url.host:
            return None, {}
        user, password = url.user or "", url.password or ""
        headers = {PROXY_AUTHORIZATION: encode_basic_auth(user, password)} if user or password else {}
        return str(url.with_user(None)), headers
    except ValueError:
        # Not with its words: they may be those of a password.
        raise ClusterError("no access to a cluster: the proxy of kubeconfig or HTTPS_PROXY is no URL") from None


def _middleware(for_proxy: Mapping[istr, str], server_name: str | None) -> ClientMiddlewareType:
    """What aiohttp takes with each request and with no session: headers for the proxy, another name in TLS.

    Without headers for it, the proxy would get those of the session: with Kopf's, the token for the API server.
    """

    async def tell(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.server_hostname = server_name or None
        request.proxy_headers = CIMultiDict(for_proxy if request.is_ssl() else {})
        if request.proxy and not request.is_ssl():
            request.headers.update(for_proxy)
        return await handler(request)

    return tell


def context_name(kubeconfig: str | None = None) -> str:
    """The current context of the kubeconfig; "in-cluster" where none is used, "unknown" where it cannot be said."""
    if not kubeconfig and _in_cluster(None):
        return "in-cluster"
    try:
        _, current = kubeconfigs.list_kube_config_contexts(kubeconfig)
        return str(current["name"])
    except (kubeconfigs.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return "unknown"


async def _read_kubeconfig(kubeconfig: str | None, context: str | None, configuration: Configuration) -> None:
    """As the library does, but for an exec plugin that fails: it would go on without credentials, as nobody."""
    loader = await kubeconfigs.load_kube_config(
        config_file=kubeconfig or None, context=context or None, client_configuration=configuration
    )
    user = loader._user  # noqa: SLF001 (nothing else shows whether a plugin was asked)
    if user and "exec" in user and not {"token", "cert_file"} & vars(loader).keys():
        why = f"its exec plugin {user['exec']['command']} gave no credentials; run it by hand to see why"
        raise _no_access(kubeconfig, why)


def _no_access(kubeconfig: str | None, why: str) -> ClusterError:
    return ClusterError(f"no access to a cluster: kubeconfig{f' {kubeconfig}' if kubeconfig else ''}: {why}")


def environment_proxy(url: str) -> str | None:
    """The proxy for that URL by HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not; None: there is none."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def own_namespace() -> str:
    """The namespace of the pod that this runs in; outside of one, where manifests/ install the operator."""
    try:
        return _MOUNTED.read_text(encoding="utf-8").strip() or _DEFAULT_NAMESPACE
    except OSError:
        return _DEFAULT_NAMESPACE
