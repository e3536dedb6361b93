"""Where the cluster is and who we are there: kubeconfig, exec plugin, or the pod's own ServiceAccount."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio import config as kubeconfigs
from kubernetes.aio.client import Configuration

from dnsalias_operator.shell.errors import ClusterError

_MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_DEFAULT_NAMESPACE = "dnsalias-system"
_SERVICE_ACCOUNT_HOST = "KUBERNETES_SERVICE_HOST"


async def load_configuration(kubeconfig: str | None = None, context: str | None = None) -> Any:  # noqa: ANN401 (untyped)
    """Read the credentials anew: tokens rotate, exec plugins hand out new ones.

    Raises:
        ClusterError: there is no configuration, or it cannot be read.
    """
    configuration = Configuration()
    if kubeconfig and not os.path.isfile(kubeconfig):  # noqa: ASYNC240, PTH113 (one stat at start)
        raise ClusterError(f"no access to a cluster: kubeconfig {kubeconfig}: no such file")
    try:
        if not kubeconfig and not context and _SERVICE_ACCOUNT_HOST in os.environ and "KUBECONFIG" not in os.environ:
            kubeconfigs.load_incluster_config(client_configuration=configuration)
        else:
            await kubeconfigs.load_kube_config(
                config_file=kubeconfig or None, context=context or None, client_configuration=configuration
            )
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
    configuration.proxy = configuration.proxy or environment_proxy(configuration.host)
    return configuration


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
