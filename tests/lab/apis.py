"""Real Nova's compute API, Glance and Cinder under uWSGI, on loopback, with SQLite in a directory.

None of them does any work: they show what their databases hold, to whoever Keystone says may see
it.
"""

from configparser import RawConfigParser
from pathlib import Path

from lab.keystone import REGION, Keystone
from lab.uwsgi import HOST, Uwsgi, command, run


def nova_api(environment: Path, nova_conf: Path, port: int, keystone: Keystone) -> Uwsgi:
    """The compute API on the databases of `nova_conf`."""
    directory = nova_conf.parent / "api"
    directory.mkdir()
    config = RawConfigParser()
    config.read(nova_conf)
    config.read_dict({"keystone_authtoken": keystone.credentials("nova", "service")})
    path = _write(config, directory / "nova.conf")
    paste = environment / "etc" / "nova" / "api-paste.ini"
    variables = {
        "OS_NOVA_CONFIG_DIR": str(directory),
        "OS_NOVA_CONFIG_FILES": f"{paste};{path}",  # the first is taken for the paste file
    }
    return _api(environment, directory, port, "nova.wsgi.osapi_compute", **variables)


def glance_api(environment: Path, directory: Path, port: int, keystone: Keystone) -> Uwsgi:
    """Glance with an empty database and a store of files."""
    store = directory / "store"
    config = RawConfigParser()
    config.read_dict(
        {
            "DEFAULT": {
                "log_file": f"{directory}/glance.log",
                "enabled_backends": "disk:file",
                "node_staging_uri": f"file://{directory}/staging",
                "worker_self_reference_url": f"http://{HOST}:{port}",
                "image_cache_dir": f"{directory}/cache",
            },
            "database": {"connection": f"sqlite:///{directory}/glance.sqlite"},
            "disk": {"filesystem_store_datadir": str(store)},
            "os_glance_staging_store": {"filesystem_store_datadir": f"{directory}/staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": f"{directory}/tasks"},
            "glance_store": {"default_backend": "disk"},
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": str(environment / "etc" / "glance" / "glance-api-paste.ini"),
            },
            "oslo_concurrency": {"lock_path": str(directory)},
            "keystone_authtoken": keystone.credentials("nova", "service"),
        }
    )
    path = _write(config, directory / "glance-api.conf")
    run(environment, directory, "glance-manage", "--config-file", str(path), "db_sync")
    variables = {"OS_GLANCE_CONFIG_DIR": str(directory)}
    return _api(environment, directory, port, "glance.wsgi.api", **variables)


def cinder_api(environment: Path, directory: Path, port: int, keystone: Keystone) -> Uwsgi:
    """Cinder with an empty database and no backend."""
    config = RawConfigParser()
    config.read_dict(
        {
            "DEFAULT": {
                "log_file": f"{directory}/cinder.log",
                "state_path": str(directory),
                "transport_url": "fake:/",
                "api_paste_config": str(environment / "etc" / "cinder" / "api-paste.ini"),
                "auth_strategy": "keystone",
            },
            "database": {"connection": f"sqlite:///{directory}/cinder.sqlite"},
            "coordination": {"backend_url": f"file://{directory}/locks"},
            "oslo_concurrency": {"lock_path": str(directory)},
            "keystone_authtoken": keystone.credentials("nova", "service"),
        }
    )
    path = _write(config, directory / "cinder.conf")
    run(environment, directory, "cinder-manage", "--config-file", str(path), "db", "sync")
    where = f"--pyargv=--config-file {path}"
    return _api(environment, directory, port, "cinder.wsgi.api", where)


def announce(keystone: Keystone, service_type: str, url: str) -> None:
    """Put an endpoint into the service catalog: all three interfaces."""
    service = {"service": {"type": service_type, "name": service_type}}
    identifier = keystone.call("POST", "/services", service)["service"]["id"]
    for interface in ("public", "internal", "admin"):
        endpoint = {
            "service_id": identifier,
            "interface": interface,
            "region_id": REGION,
            "url": url,
        }
        keystone.call("POST", "/endpoints", {"endpoint": endpoint})


def _api(
    environment: Path, directory: Path, port: int, module: str, *more: str, **variables: str
) -> Uwsgi:
    """The `application` of that module, not started."""
    served = command(environment, port, "--module", f"{module}:application", *more)
    url = f"http://{HOST}:{port}"
    return Uwsgi(environment, directory, served, url, variables=variables)


def _write(config: RawConfigParser, path: Path) -> Path:
    with path.open("w") as file:
        config.write(file)
    return path
